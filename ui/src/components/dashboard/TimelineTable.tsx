/** The same as the timeline, in rows. */
import { useTranslation } from 'react-i18next';
import { StatusBadge } from '@/components/Badge';
import { Time } from '@/components/Time';
import { duration, number } from '@/lib/format';
import { href } from '@/lib/navigate';
import type { TimelineItem } from './timeline';

/** More rows than these are on the experiments' own page. */
const MOST = 200;

export function TimelineTable({
  items,
  names,
}: {
  items: readonly TimelineItem[];
  names: ReadonlyMap<number, string>;
}) {
  const { t } = useTranslation();
  const newest = items.toReversed().slice(0, MOST);
  return (
    <section
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      aria-label={t('dashboard.timeline.title')}
      className="relative max-h-80 overflow-auto"
    >
      <table className="w-full text-xs">
        <thead className="sticky top-0 bg-surface text-left text-muted">
          <tr>
            {['experiment', 'status', 'began', 'took', 'score'].map((column) => (
              <th key={column} scope="col" className="border-line border-b px-2 py-1.5 font-medium">
                {t(`dashboard.timeline.column.${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="num">
          {newest.map((item) => (
            <tr key={item.id} className="border-line/60 border-b last:border-0">
              <th scope="row" className="max-w-64 truncate px-2 py-1.5 text-left font-normal">
                <a
                  href={href.experiment(item.task_id, item.experiment_id)}
                  className="hover:text-accent hover:underline"
                >
                  {names.get(item.task_id) ?? t('dashboard.task', { id: item.task_id })} ·{' '}
                  {t('dashboard.experiment', { number: item.experiment_id })}
                </a>
              </th>
              <td className="px-2 py-1.5">
                <StatusBadge status={item.status} />
              </td>
              <td className="px-2 py-1.5">
                <Time at={item.started_at} />
              </td>
              <td className="px-2 py-1.5">{duration(item.elapsed_time)}</td>
              <td className="px-2 py-1.5">{number(item.objective_score)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
