/** Tasks that are to run but wait, and for what; and those that nobody has started yet. */
import { useQuery } from '@tanstack/react-query';
import { Hourglass } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { live } from '@/api/queries/dashboard';
import { taskList } from '@/api/queries/tasks';
import { Card } from '@/components/Card';
import { Time } from '@/components/Time';
import { TaskActions } from '@/components/task/TaskActions';
import { href } from '@/lib/navigate';

/** More pending tasks than these are in the list of tasks. */
const MOST = 5;

export function WaitingPart() {
  const { t } = useTranslation();
  const { data: now } = useQuery(live);
  const { data: pending } = useQuery(taskList({ status_filter: 'pending', limit: MOST }));
  const queue = now?.queue ?? [];
  const rows = pending?.items ?? [];
  const total = pending?.total ?? 0;
  if (queue.length === 0 && rows.length === 0) return null;
  return (
    <Card
      title={t('dashboard.waiting.title')}
      actions={
        total > rows.length && (
          <a href={href.tasks({ status: 'pending' })} className="text-accent text-xs hover:underline">
            {t('dashboard.waiting.all', { count: total })}
          </a>
        )
      }
      padded={false}
    >
      <ul className="divide-y divide-line">
        {queue.map(({ task_id, task_name, waiting_for }) => (
          <li key={task_id} className="px-4 py-2">
            <a href={href.task(task_id)} className="block truncate text-sm hover:text-accent hover:underline">
              {task_name}
            </a>
            <p className="flex items-start gap-1.5 text-warn text-xs">
              <Hourglass aria-hidden className="mt-0.5 size-3.5 shrink-0" />
              {waiting_for ?? t('dashboard.waiting.place')}
            </p>
          </li>
        ))}
        {rows.map((row) => (
          <li key={row.id} className="flex items-center gap-2 py-1.5 pr-2 pl-4">
            <div className="min-w-0 flex-1">
              <a
                href={href.task(row.id)}
                className="block truncate text-sm hover:text-accent hover:underline"
              >
                {row.task_name}
              </a>
              <p className="truncate text-muted text-xs">
                {row.base_runtime} · {t('dashboard.waiting.made')} <Time at={row.created_at} />
              </p>
            </div>
            <TaskActions task={row} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
