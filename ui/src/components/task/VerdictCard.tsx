/** What a run has found out, in one sentence, and how much it is worth. */
import { CircleCheck, CircleMinus, CircleX, type LucideIcon, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Verdict } from '@/api/queries/tasks';
import { cx } from '@/lib/cx';
import { gain as written } from '@/lib/format';
import { href } from '@/lib/navigate';
import { type GainTone, isTold, toneOfClaim } from './Gain';

const LOOKS: Record<GainTone | 'bad', { icon: LucideIcon; text: string; surface: string }> = {
  good: { icon: CircleCheck, text: 'text-good', surface: 'border-good/35 bg-good-soft/50' },
  warn: { icon: TriangleAlert, text: 'text-warn', surface: 'border-warn/35 bg-warn-soft/50' },
  bad: { icon: CircleX, text: 'text-bad', surface: 'border-bad/35 bg-bad-soft/50' },
  neutral: { icon: CircleMinus, text: 'text-muted', surface: '' },
};

export function VerdictCard({
  taskId,
  verdict,
  isFailure,
  feasibility,
  children,
}: {
  taskId: number;
  verdict: Verdict;
  /** The run came to nothing. */
  isFailure: boolean;
  /** Whether the best one meets every SLO. */
  feasibility?: ReactNode;
  children?: ReactNode;
}) {
  const { t } = useTranslation();
  const { claim, gain_over_defaults: gain, gain_low: low, gain_high: high, sentence } = verdict;
  const best = verdict.best_experiment_number;
  const tone = isFailure ? 'bad' : toneOfClaim(claim, gain);
  const { icon: Icon, text, surface } = LOOKS[tone];
  return (
    <section
      aria-label={t('tasks.verdict.title')}
      className={cx('card flex flex-wrap items-center gap-x-6 gap-y-3 p-4 sm:p-5', surface)}
    >
      {isTold(claim, gain) && (
        <div className="shrink-0">
          <div className={cx('num font-semibold text-3xl leading-9 tracking-tight', text)}>
            {written(gain)}
          </div>
          <div className="text-muted text-xs">{t('tasks.verdict.overDefaults')}</div>
          {typeof low === 'number' && typeof high === 'number' && (
            <div className="num text-muted text-xs">
              {t('tasks.verdict.interval', { low: written(low), high: written(high) })}
            </div>
          )}
        </div>
      )}
      <div className="min-w-0 flex-1 basis-72">
        <h2 className={cx('flex items-center gap-1.5 font-semibold text-sm', text)}>
          <Icon aria-hidden className="size-4 shrink-0" />
          {t(`tasks.claim.${claim}.title`, { defaultValue: t('tasks.verdict.title') })}
        </h2>
        <p className="mt-1 text-fg">{sentence}</p>
        {(best || feasibility) && (
          <div className="mt-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
            {best && (
              <a href={href.experiment(taskId, best)} className="font-medium text-accent hover:underline">
                {t('tasks.verdict.best', { number: best })}
              </a>
            )}
            {verdict.baseline_experiment_number && (
              <a
                href={href.experiment(taskId, verdict.baseline_experiment_number)}
                className="text-muted hover:text-accent hover:underline"
              >
                {t('tasks.verdict.baseline', { number: verdict.baseline_experiment_number })}
              </a>
            )}
            {feasibility}
          </div>
        )}
      </div>
      {children && <div className="flex shrink-0 flex-wrap gap-2">{children}</div>}
    </section>
  );
}
