/** Tasks as a table. */
import { ArrowDown, ArrowUp } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { TaskRow } from '@/api/queries/tasks';
import { StatusBadge } from '@/components/Badge';
import { Time } from '@/components/Time';
import { Checkbox } from '@/components/Toggle';
import { claimOf, Gain } from '@/components/task/Gain';
import { RunDuration } from '@/components/task/RunDuration';
import { TaskActions } from '@/components/task/TaskActions';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import type { ListView, Sort } from './address';
import { RowProgress } from './RowProgress';

export interface TaskListProps {
  tasks: readonly TaskRow[];
  selected: ReadonlySet<number>;
  onSelect: (id: number) => void;
  onSelectAll: (isOn: boolean) => void;
  /** Whether rows can be selected: whoever may only look cannot do anything with them. */
  isSelectable: boolean;
  view: ListView;
  onSort: (sort: Sort) => void;
}

const RIGHT = 'text-right';
const CELL = 'px-2.5 py-2.5 align-middle';
/** Columns that make way where there is little room. */
const ROOMY = '@max-[64rem]:hidden';

export function TaskTable({
  tasks,
  selected,
  onSelect,
  onSelectAll,
  isSelectable,
  view,
  onSort,
}: TaskListProps) {
  const { t } = useTranslation();
  const count = tasks.filter(({ id }) => selected.has(id)).length;
  const head = (sort: Sort, label: string, className?: string) => (
    <SortHead
      label={label}
      order={view.sort === sort ? view.order : undefined}
      onSort={() => onSort(sort)}
      isRight={className === RIGHT}
      className={className}
    />
  );
  return (
    <div className="@container overflow-x-auto">
      <table className="w-full min-w-[44rem] border-collapse text-sm">
        <caption className="sr-only">{t('nav.tasks')}</caption>
        <thead>
          <tr className="border-line border-b text-left text-muted text-xs">
            {isSelectable && (
              <th scope="col" className="w-9 py-2 pl-4 leading-none">
                <Checkbox
                  isOn={count === tasks.length && count > 0}
                  isPartly={count > 0 && count < tasks.length}
                  onChange={onSelectAll}
                  label={t('list.selectAll')}
                  hideLabel
                />
              </th>
            )}
            <th scope="col" className="w-12 px-2.5 py-2 text-right font-medium">
              {t('tasks.column.id')}
            </th>
            {head('name', t('tasks.column.name'), 'w-[32%]')}
            {head('status', t('tasks.column.status'))}
            <th scope="col" className={cx('px-2.5 py-2 font-medium', ROOMY)}>
              {t('tasks.column.runtime')}
            </th>
            {head('experiments', t('tasks.column.experiments'))}
            <th scope="col" className="whitespace-nowrap px-2.5 py-2 text-right font-medium">
              {t('tasks.column.gain')}
            </th>
            {head('elapsed', t('tasks.column.duration'), RIGHT)}
            {head('created', t('tasks.column.created'), ROOMY)}
            <th scope="col" className="px-2.5 py-2">
              <span className="sr-only">{t('tasks.column.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {tasks.map((task) => (
            <tr
              key={task.id}
              data-row-frame
              className={cx(
                'group/row transition-colors hover:bg-sunken/60 has-[[data-row]:focus-visible]:bg-accent-soft/40',
                selected.has(task.id) && 'bg-accent-soft/50',
              )}
            >
              {isSelectable && (
                <td className="py-2.5 pl-4 leading-none">
                  <Checkbox
                    isOn={selected.has(task.id)}
                    onChange={() => onSelect(task.id)}
                    label={t('list.select', { name: task.task_name })}
                    hideLabel
                  />
                </td>
              )}
              <td className={cx(CELL, 'num text-right text-muted')}>{task.id}</td>
              <th scope="row" className={cx(CELL, 'text-left font-normal')}>
                <div className="min-w-44">
                  <TaskName task={task} />
                </div>
              </th>
              <td className={CELL}>
                <StatusBadge status={task.status} />
              </td>
              <td className={cx(CELL, 'text-muted', ROOMY)}>{task.base_runtime}</td>
              <td className={CELL}>
                <RowProgress task={task} className="w-56 @max-[52rem]:w-36" />
              </td>
              <td className={cx(CELL, 'w-24 text-right leading-4')}>
                <Gain gain={task.gain_over_defaults} claim={claimOf(task)} />
              </td>
              <td className={cx(CELL, 'num whitespace-nowrap text-right')}>
                <RunDuration task={task} />
              </td>
              <td className={cx(CELL, 'whitespace-nowrap text-muted', ROOMY)}>
                <Time at={task.created_at} />
              </td>
              <td className="py-1.5 pr-3 pl-1">
                <TaskActions task={task} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The name, which leads to the task, and below it what it is about or waits for. */
export function TaskName({ task, children }: { task: TaskRow; children?: ReactNode }) {
  const isWaiting = task.status === 'running' && Boolean(task.waiting_for);
  return (
    <>
      <a
        href={href.task(task.id)}
        data-row={task.id}
        title={task.task_name}
        className="wrap-anywhere line-clamp-2 font-medium text-fg hover:text-accent hover:underline"
      >
        {task.task_name}
      </a>
      {isWaiting ? (
        <div
          title={task.waiting_for ?? undefined}
          className="wrap-anywhere line-clamp-2 text-warn text-xs first-letter:uppercase"
        >
          {task.waiting_for}
        </div>
      ) : (
        task.description && (
          <div title={task.description} className="wrap-anywhere line-clamp-1 text-muted text-xs">
            {task.description}
          </div>
        )
      )}
      {children}
    </>
  );
}

function SortHead({
  label,
  order,
  onSort,
  isRight = false,
  className,
}: {
  label: string;
  isRight?: boolean;
  order: 'asc' | 'desc' | undefined;
  onSort: () => void;
  className?: string | undefined;
}) {
  const { t } = useTranslation();
  const Icon = order === 'asc' ? ArrowUp : ArrowDown;
  return (
    <th
      scope="col"
      aria-sort={order && (order === 'asc' ? 'ascending' : 'descending')}
      className={cx('px-2.5 py-2 font-medium', className)}
    >
      <button
        type="button"
        onClick={onSort}
        title={t('list.sortBy', { column: label })}
        className={cx(
          'group/sort inline-flex items-center align-middle gap-1 whitespace-nowrap hover:text-fg',
          order && 'text-fg',
          isRight && 'flex-row-reverse',
        )}
      >
        {label}
        <Icon aria-hidden className={cx('size-3', !order && 'opacity-0 group-hover/sort:opacity-50')} />
      </button>
    </th>
  );
}
