/** Kinds of failures of the last day: how often, the latest, and what to do. */
import { useTranslation } from 'react-i18next';
import { Time } from '@/components/Time';
import { number } from '@/lib/format';
import { href } from '@/lib/navigate';
import type { FailureGroup } from './failures';

export function FailureList({
  groups,
  names,
}: {
  groups: readonly FailureGroup[];
  names: ReadonlyMap<number, string>;
}) {
  const { t } = useTranslation();
  const most = Math.max(1, ...groups.map(({ count }) => count));
  return (
    <ul className="divide-y divide-line">
      {groups.map(({ kind, count, tasks, latest }) => (
        <li key={kind} className="px-4 py-2.5">
          <a
            href={href.experiments({ status: 'failed', failure: kind })}
            className="group flex items-center gap-3 text-sm"
          >
            <span className="min-w-0 flex-1 truncate group-hover:text-accent group-hover:underline">
              {t(`failure.${kind}`, { defaultValue: kind })}
            </span>
            <span aria-hidden className="h-1.5 w-16 overflow-hidden rounded-full bg-line">
              <span
                className="block h-full rounded-full bg-bad"
                style={{ width: `${(count / most) * 100}%` }}
              />
            </span>
            <span className="num w-8 text-right font-semibold">{number(count, 9)}</span>
          </a>
          <p className="mt-0.5 truncate text-muted text-xs">
            <a
              href={href.experiment(latest.task_id, latest.experiment_id)}
              className="hover:text-accent hover:underline"
            >
              {latest.task_name ?? names.get(latest.task_id) ?? t('dashboard.task', { id: latest.task_id })} ·{' '}
              {t('dashboard.experiment', { number: latest.experiment_id })}
            </a>{' '}
            · <Time at={latest.completed_at ?? latest.created_at} />
            {tasks.length > 1 && <> · {t('dashboard.failures.tasks', { count: tasks.length })}</>}
          </p>
          {latest.advice && <p className="mt-0.5 line-clamp-2 text-muted text-xs">{latest.advice}</p>}
        </li>
      ))}
    </ul>
  );
}
