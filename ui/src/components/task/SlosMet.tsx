/** Whether an experiment meets every SLO, with what is spoken of. */
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { Feasibility } from '@/components/experiment/parts';

export function SlosMet({ experiment }: { experiment: Experiment }) {
  const { t } = useTranslation();
  return (
    <span className="inline-flex items-center gap-1.5 text-sm">
      <span className="text-muted">{t('tasks.verdict.slos')}</span>
      <Feasibility experiment={experiment} />
    </span>
  );
}
