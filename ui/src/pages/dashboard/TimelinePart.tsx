/** The experiments of the last hours. How many hours is in the address. */
import { useQuery } from '@tanstack/react-query';
import { ChartGantt, Table2 } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { timeline } from '@/api/queries/dashboard';
import { Card } from '@/components/Card';
import { barTone, TimelineChart } from '@/components/dashboard/TimelineChart';
import { TimelineTable } from '@/components/dashboard/TimelineTable';
import { fittedFrom, SPANS, type SpanName } from '@/components/dashboard/timeline';
import { Failed, Skeleton } from '@/components/States';
import { useNow } from '@/components/Time';
import { Segmented } from '@/components/Toggle';
import { useAddress } from '@/lib/address';
import { cx } from '@/lib/cx';
import { number } from '@/lib/format';
import { asWord } from '@/lib/search';

const NAMES: readonly SpanName[] = ['fit', '1h', '6h', '24h', '7d'];
const HOUR = 3_600_000;

export function TimelinePart({ names }: { names: ReadonlyMap<number, string> }) {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const tick = useNow(5_000);
  const span = asWord(address.span, NAMES) ?? 'fit';
  const isTable = address.timeline === 'table';
  const { data, error, isPending, refetch } = useQuery(timeline(span === '7d' ? SPANS[span] : 24));
  const items = useMemo(() => data ?? [], [data]);
  // What has just begun is not in the future of a clock that ticks slowly.
  const newest = items.at(-1)?.started_at;
  const now = Math.max(tick, newest ? new Date(newest).getTime() + 1_000 : 0);
  const from = span === 'fit' ? fittedFrom(items, now) : now - SPANS[span] * HOUR;
  const shown = useMemo(
    () =>
      items.filter(
        ({ started_at, completed_at }) =>
          new Date(completed_at ?? now).getTime() >= from && new Date(started_at).getTime() <= now,
      ),
    [items, from, now],
  );
  const counts = new Map<string, number>();
  for (const { status } of shown) {
    const word = status === 'deploying' || status === 'benchmarking' ? 'running' : status;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  if (!isPending && !error && items.length === 0 && span === 'fit') return null;
  return (
    <Card
      title={t('dashboard.timeline.title')}
      actions={
        <>
          <Segmented
            label={t('dashboard.timeline.span')}
            value={span}
            onChange={(value) => change({ span: value === 'fit' ? undefined : value })}
            options={NAMES.map((value) => ({
              value,
              label: value === 'fit' ? t('dashboard.timeline.fit') : value,
            }))}
          />
          <Segmented
            label={t('dashboard.timeline.as')}
            value={isTable ? 'table' : 'chart'}
            onChange={(value) => change({ timeline: value === 'table' ? value : undefined })}
            options={[
              { value: 'chart', label: t('dashboard.timeline.chart'), icon: ChartGantt },
              { value: 'table', label: t('dashboard.timeline.table'), icon: Table2 },
            ]}
            className="ml-1"
          />
        </>
      }
      padded={false}
    >
      <div className="px-4 py-2">
        {isPending ? (
          <Skeleton className="my-2 h-36 w-full" />
        ) : error && !data ? (
          <Failed error={error} onRetry={() => void refetch()} />
        ) : shown.length === 0 ? (
          <p className="py-6 text-center text-muted">{t('dashboard.timeline.empty')}</p>
        ) : isTable ? (
          <TimelineTable items={shown} names={names} />
        ) : (
          <TimelineChart items={shown} span={{ from, to: now }} now={now} names={names} />
        )}
      </div>
      {counts.size > 0 && (
        <ul className="num flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-t px-4 py-2 text-muted text-xs">
          {[...counts].map(([status, count]) => (
            <li key={status} className="flex items-center gap-1.5">
              <span aria-hidden className={cx('h-2.5 w-4 rounded-[3px]', barTone(status))} />
              {t(`status.${status}`, { defaultValue: status })}
              <span className="font-medium text-fg">{number(count, 9)}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
