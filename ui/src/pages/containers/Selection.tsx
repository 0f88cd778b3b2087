/** What can be done with the containers that are chosen. */
import { Columns2, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ACTIONS, type Container } from '@/api/queries/containers';
import { Button, buttonClass, IconButton } from '@/components/Button';
import { actionsFor, LOOKS } from '@/components/container/ContainerActions';
import { href } from '@/lib/navigate';
import type { Actions } from './useActions';

/** Logs that have room side by side. */
export const MOST_LOGS = 4;

export function Selection({
  chosen,
  actions,
  onClear,
}: {
  chosen: readonly Container[];
  actions: Actions;
  onClear: () => void;
}) {
  const { t } = useTranslation();
  if (chosen.length === 0) return null;
  const may = chosen.filter(({ manageable }) => manageable);
  return (
    <div
      role="toolbar"
      aria-label={t('containers.withSelected')}
      className="sticky bottom-3 z-20 mx-auto mt-4 flex w-fit max-w-full flex-wrap items-center gap-1.5 rounded-xl border border-line bg-raised px-3 py-2 shadow-pop"
    >
      <span className="num mr-1 font-medium text-sm">{t('list.selected', { count: chosen.length })}</span>
      {ACTIONS.map((action) => {
        const able = may.filter(({ state }) => actionsFor(state).includes(action));
        return (
          <Button
            key={action}
            size="sm"
            kind="ghost"
            icon={LOOKS[action].icon}
            disabled={able.length === 0 || actions.isBulkPending}
            title={may.length === 0 ? actions.refusal : undefined}
            onClick={() => actions.actAll(able, action)}
            className={action === 'remove' ? 'text-bad' : undefined}
          >
            {t(`containers.action.${action}`)}
            {able.length > 0 && able.length < chosen.length && <span className="num">({able.length})</span>}
          </Button>
        );
      })}
      {chosen.length > 1 && chosen.length <= MOST_LOGS && (
        <a
          href={href.containers({ logs: chosen.map(({ short_id }) => short_id).join(',') })}
          className={buttonClass('ghost', 'sm')}
        >
          <Columns2 aria-hidden className="size-4" />
          {t('containers.sideBySide')}
        </a>
      )}
      <IconButton icon={X} label={t('containers.clearSelection')} onClick={onClear} className="size-7" />
    </div>
  );
}
