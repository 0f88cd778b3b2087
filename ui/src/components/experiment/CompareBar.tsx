/** What is chosen for a comparison, and the way to it. */
import { GitCompareArrows, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { buttonClass, IconButton } from '@/components/Button';
import { href } from '@/lib/navigate';
import { MOST_COMPARED } from './filter';

export function CompareBar({ selected, onClear }: { selected: readonly number[]; onClear: () => void }) {
  const { t } = useTranslation();
  if (selected.length === 0) return null;
  const isEnough = selected.length >= 2;
  return (
    <div className="sticky bottom-0 z-20 flex flex-wrap items-center gap-3 rounded-b-xl border-line border-t bg-raised px-4 py-2 text-sm shadow-pop">
      <span role="status">
        <span className="font-medium">{t('list.selected', { count: selected.length })}</span>{' '}
        <span className="text-muted text-xs">
          {isEnough
            ? selected.length >= MOST_COMPARED && t('experiments.compare.most', { count: MOST_COMPARED })
            : t('experiments.compare.oneMore')}
        </span>
      </span>
      <span className="flex-1" />
      {isEnough && (
        <a href={href.compare(selected)} className={buttonClass('primary', 'sm')}>
          <GitCompareArrows aria-hidden className="size-4" />
          {t('nav.compare')}
        </a>
      )}
      <IconButton icon={X} label={t('experiments.compare.clear')} onClick={onClear} />
    </div>
  );
}
