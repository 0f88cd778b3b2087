/** Which tasks are shown. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { databaseStatistics } from '@/api/queries/dashboard';
import { systemInfo } from '@/api/queries/system';
import { TASK_STATUSES, type TaskStatus } from '@/api/queries/tasks';
import { SearchInput } from '@/components/Input';
import { Select } from '@/components/Select';
import { cx } from '@/lib/cx';
import { number } from '@/lib/format';
import { type ListView, withStatus } from './address';

const ANY = 'any';

export function Filters({
  view,
  onChange,
}: {
  view: ListView;
  onChange: (change: Record<string, string | number | undefined>) => void;
}) {
  const { t } = useTranslation();
  const { data: counts } = useQuery(databaseStatistics);
  const { data: info } = useQuery(systemInfo);
  const runtimes = info?.available_runtimes ?? [];
  // They count all tasks, so they would be wrong beside another filter.
  const isCounted = view.q === '' && view.runtime === undefined;
  const chips: { status: TaskStatus | undefined; label: string; count: number | undefined }[] = [
    { status: undefined, label: t('tasks.all'), count: counts?.total_tasks },
    ...TASK_STATUSES.map((status) => ({
      status,
      label: t(`status.${status}`),
      count: counts?.tasks_by_status[status],
    })),
  ];
  return (
    <div className="mb-3 flex flex-wrap items-center gap-2">
      <fieldset className="-mx-1 flex min-w-0 max-w-full gap-1 overflow-x-auto px-1 py-0.5">
        <legend className="sr-only">{t('tasks.filter.status')}</legend>
        {chips.map(({ status, label, count }) => {
          const isOn = status === undefined ? view.statuses.length === 0 : view.statuses.includes(status);
          return (
            <button
              key={label}
              type="button"
              aria-pressed={isOn}
              onClick={() => onChange(withStatus(view, status))}
              className={cx(
                'inline-flex h-8 shrink-0 items-center gap-1.5 rounded-lg px-2.5 text-sm transition-colors',
                isOn ? 'bg-accent-soft font-medium text-accent' : 'text-muted hover:bg-sunken hover:text-fg',
              )}
            >
              {label}
              {isCounted && count !== undefined && (
                <span className={cx('num text-xs', isOn ? 'text-accent' : 'text-faint')}>
                  {number(count, 9)}
                </span>
              )}
            </button>
          );
        })}
      </fieldset>
      <div className="flex min-w-0 flex-1 flex-wrap items-center justify-end gap-2 max-sm:w-full max-sm:flex-none">
        <Select
          label={t('tasks.filter.runtime')}
          value={view.runtime ?? ANY}
          onChange={(value) => onChange({ runtime: value === ANY ? undefined : value, page: undefined })}
          options={[
            { value: ANY, label: t('tasks.filter.anyRuntime') },
            ...(view.runtime && !runtimes.includes(view.runtime) ? [view.runtime] : [])
              .concat(runtimes)
              .map((runtime) => ({ value: runtime, label: runtime })),
          ]}
        />
        <SearchInput
          label={t('tasks.filter.search')}
          value={view.q}
          onChange={(q) => onChange({ q, page: undefined })}
          className="min-w-40 flex-1 sm:max-w-64"
        />
      </div>
    </div>
  );
}
