/** What can be done with the presets that are selected. */
import { Combine, Plus, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button, buttonClass, IconButton } from '@/components/Button';
import { href } from '@/lib/navigate';

export function SelectionBar({
  ids,
  mayOperate,
  onMerge,
  onClear,
}: {
  ids: readonly number[];
  mayOperate: boolean;
  onMerge: () => void;
  onClear: () => void;
}) {
  const { t } = useTranslation();
  return (
    <section
      aria-label={t('list.selected', { count: ids.length })}
      className="sticky bottom-4 z-20 mx-auto mt-4 flex w-fit max-w-full flex-wrap items-center gap-2 rounded-xl border border-line bg-raised py-2 pr-2 pl-4 shadow-pop"
    >
      <span className="num text-sm">{t('list.selected', { count: ids.length })}</span>
      {ids.length > 1 && (
        <Button icon={Combine} onClick={onMerge}>
          {t('presetsPage.merge.preview')}
        </Button>
      )}
      {mayOperate && (
        <a href={href.newTask({ presets: ids.join(',') })} className={buttonClass('primary')}>
          <Plus aria-hidden className="size-4" />
          {t('presetsPage.useInTask')}
        </a>
      )}
      <IconButton icon={X} label={t('presetsPage.clearSelection')} onClick={onClear} />
    </section>
  );
}
