/** Tasks as cards, where there is no room for a table. */
import { useTranslation } from 'react-i18next';
import { StatusBadge } from '@/components/Badge';
import { Time } from '@/components/Time';
import { Checkbox } from '@/components/Toggle';
import { claimOf, Gain } from '@/components/task/Gain';
import { RunDuration } from '@/components/task/RunDuration';
import { TaskActions } from '@/components/task/TaskActions';
import { cx } from '@/lib/cx';
import { RowProgress } from './RowProgress';
import { type TaskListProps, TaskName } from './TaskTable';

export function TaskCards({ tasks, selected, onSelect, isSelectable }: TaskListProps) {
  const { t } = useTranslation();
  return (
    <ul className="divide-y divide-line">
      {tasks.map((task) => (
        <li
          key={task.id}
          data-row-frame
          className={cx('space-y-2.5 px-4 py-3', selected.has(task.id) && 'bg-accent-soft/50')}
        >
          <div className="flex items-start gap-3">
            {isSelectable && (
              <span className="pt-0.5">
                <Checkbox
                  isOn={selected.has(task.id)}
                  onChange={() => onSelect(task.id)}
                  label={t('list.select', { name: task.task_name })}
                  hideLabel
                />
              </span>
            )}
            <div className="min-w-0 flex-1">
              <TaskName task={task} />
            </div>
            <StatusBadge status={task.status} />
          </div>
          <div className="flex items-end justify-between gap-3">
            <RowProgress task={task} className="min-w-0" />
            <Gain gain={task.gain_over_defaults} claim={claimOf(task)} />
          </div>
          <div className="flex items-center justify-between gap-2 text-muted text-xs">
            <span className="num min-w-0 truncate">
              #{task.id} · {task.base_runtime} · <RunDuration task={task} /> · <Time at={task.created_at} />
            </span>
            <TaskActions task={task} className="-mr-2 shrink-0" />
          </div>
        </li>
      ))}
    </ul>
  );
}
