/** What the cluster has noted of a pod. */
import { CalendarClock } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { PodWhole } from '@/api/queries/pods';
import { Badge } from '@/components/Badge';
import { Empty } from '@/components/States';
import { Time } from '@/components/Time';

export function Events({ pod: { events, without_events } }: { pod: PodWhole }) {
  const { t } = useTranslation();
  if (without_events)
    return (
      <div role="alert" className="card p-4">
        <p className="font-medium">{t('pods.noRight')}</p>
        <p className="mt-1 text-muted text-xs break-words">{without_events}</p>
      </div>
    );
  if (events.length === 0)
    return (
      <div className="card">
        <Empty icon={CalendarClock} title={t('pods.noEvents')} text={t('pods.noEventsText')} />
      </div>
    );
  return (
    <ol aria-label={t('pods.tab.events')} className="card divide-y divide-line">
      {events.map((event, index) => (
        <li
          // biome-ignore lint/suspicious/noArrayIndexKey: two events may be the same but for their place
          key={index}
          className="grid gap-x-4 gap-y-1 px-4 py-2.5 sm:grid-cols-[9rem_minmax(0,1fr)]"
        >
          <span className="text-muted text-xs">
            <Time at={event.at} />
            {event.source && <span className="block truncate">{event.source}</span>}
          </span>
          <div className="min-w-0">
            <p className="flex flex-wrap items-center gap-2 font-medium">
              {event.reason}
              {event.is_warning && <Badge tone="warn">{t('pods.warning')}</Badge>}
              {event.count > 1 && (
                <span className="num font-normal text-muted text-xs">
                  {t('pods.times', { count: event.count })}
                </span>
              )}
            </p>
            <p className="text-muted text-xs break-words">{event.message}</p>
          </div>
        </li>
      ))}
    </ol>
  );
}
