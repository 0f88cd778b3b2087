/** Experiments of the last hours as bars, a row for each task. Arrow keys lead from bar to bar. */
import { type KeyboardEvent, type SyntheticEvent, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import { clock, duration, number } from '@/lib/format';
import { href } from '@/lib/navigate';
import { type Bar, type Row, rowsOf, type Span, type TimelineItem, ticksOf } from './timeline';
import { useWidth } from './useWidth';

/** Colours by status. Failed ones are hatched too, and running ones move. */
export const BAR_TONES: Record<string, string> = {
  success: 'bg-good/75 hover:bg-good',
  failed:
    'bg-bad/80 hover:bg-bad bg-[repeating-linear-gradient(135deg,transparent_0_3px,var(--surface)_3px_4.5px)]',
  running: 'bg-info animate-pulse',
  pending: 'bg-warn/70',
};

export function barTone(status: string): string {
  return (
    BAR_TONES[status === 'deploying' || status === 'benchmarking' ? 'running' : status] ?? 'bg-line-strong'
  );
}

const LANE = 16;

/** Ticks need this much room. */
const TICK = 84;

export function TimelineChart({
  items,
  span,
  now,
  names,
  most = 10,
}: {
  items: readonly TimelineItem[];
  span: Span;
  now: number;
  /** Names of tasks, as far as they are known. */
  names: ReadonlyMap<number, string>;
  /** More rows than these are shown only when they are asked for. */
  most?: number;
}) {
  const { t } = useTranslation();
  const [tracks, width] = useWidth<HTMLDivElement>(800);
  const [isWhole, setWhole] = useState(false);
  const [pointed, setPointed] = useState<{ bar: Bar; row: Row; top: number } | null>(null);
  const place = useRef<HTMLUListElement>(null);
  const length = span.to - span.from;
  const rows = useMemo(() => rowsOf(items, span, length / width, now), [items, span, length, width, now]);
  const shown = isWhole ? rows : rows.slice(0, most);
  const { at: ticks, step } = ticksOf(span, width / TICK);
  const share = (at: number) => ((Math.min(at, span.to) - span.from) / length) * 100;

  const point = (event: SyntheticEvent) => {
    const link = (event.target as HTMLElement).closest<HTMLElement>('[data-bar]');
    const key = link?.dataset.bar;
    if (!key) return setPointed(null);
    const line = link.closest('li');
    const top = line ? line.offsetTop + line.offsetHeight : 0;
    for (const row of rows) {
      const bar = row.bars.find((bar) => String(bar.key) === key);
      if (bar) return setPointed({ bar, row, top });
    }
  };
  const move = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    const isRow = event.key === 'ArrowDown' || event.key === 'ArrowUp';
    if ((step === undefined && !isRow) || !place.current) return;
    event.preventDefault();
    const bars = [...place.current.querySelectorAll<HTMLElement>('[data-bar]')];
    const from = bars.indexOf(document.activeElement as HTMLElement);
    if (step !== undefined) {
      bars[Math.max(0, Math.min(bars.length - 1, from + step))]?.focus();
      return;
    }
    const lists = [...place.current.children];
    const row = lists.findIndex((list) => list.contains(document.activeElement));
    const next = lists[row + (event.key === 'ArrowDown' ? 1 : -1)];
    const inRow = next?.querySelectorAll<HTMLElement>('[data-bar]');
    inRow?.[inRow.length - 1]?.focus();
  };
  // One of the bars can be tabbed to; the arrow keys lead on from there.
  const first = pointed?.bar.key ?? shown[0]?.bars.at(-1)?.key;

  return (
    <div className="min-w-0">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the bars inside are links; this hears of them all */}
      <div
        onMouseOver={point}
        onMouseLeave={() => setPointed(null)}
        onFocus={point}
        onBlur={() => setPointed(null)}
        onKeyDown={move}
        className="relative"
      >
        <ul ref={place} aria-label={t('dashboard.timeline.title')}>
          {shown.map((row) => (
            <li
              key={row.task}
              className="border-line/60 border-b py-1 last:border-0 sm:grid sm:grid-cols-[10rem_minmax(0,1fr)] sm:items-center sm:gap-3"
            >
              <a
                href={href.task(row.task)}
                className="block truncate text-xs leading-5 hover:text-accent hover:underline"
              >
                {names.get(row.task) ?? t('dashboard.task', { id: row.task })}
              </a>
              <div className="relative" style={{ height: row.lanes * LANE + 2 }}>
                {ticks.map((tick) => (
                  <span
                    key={tick}
                    aria-hidden
                    className="absolute -inset-y-1 w-px bg-line/60"
                    style={{ left: `${share(tick)}%` }}
                  />
                ))}
                {row.bars.map((bar) => {
                  const left = share(bar.from);
                  const newest = bar.items.at(-1);
                  return (
                    <a
                      key={bar.key}
                      data-bar={bar.key}
                      href={newest ? href.experiment(row.task, newest.experiment_id) : href.task(row.task)}
                      tabIndex={bar.key === first ? 0 : -1}
                      className={cx('absolute min-w-[3px] rounded-[3px]', barTone(bar.status))}
                      style={{
                        left: `${left}%`,
                        width: `calc(${Math.max(0, share(bar.to) - left)}% - 1px)`,
                        top: bar.lane * LANE + 2,
                        height: LANE - 2,
                      }}
                    >
                      <span className="sr-only">{barText(bar, t)}</span>
                      <Failed bar={bar} />
                    </a>
                  );
                })}
              </div>
            </li>
          ))}
        </ul>
        {pointed && (
          <Detail {...pointed} left={share((pointed.bar.from + Math.min(pointed.bar.to, span.to)) / 2)} />
        )}
      </div>
      <div className="sm:ml-[10.75rem]">
        <div ref={tracks} aria-hidden className="num relative h-5 text-2xs text-faint">
          {ticks.map((tick) => (
            <span
              key={tick}
              className="absolute top-1 -translate-x-1/2 whitespace-nowrap"
              style={{ left: `${Math.max(2, Math.min(97, share(tick)))}%` }}
            >
              {tickText(tick, step)}
            </span>
          ))}
        </div>
      </div>
      {rows.length > most && (
        <button
          type="button"
          aria-expanded={isWhole}
          onClick={() => setWhole(!isWhole)}
          className="mt-1 text-accent text-xs hover:underline"
        >
          {isWhole
            ? t('dashboard.timeline.fewer')
            : t('dashboard.timeline.more', { count: rows.length - most })}
        </button>
      )}
    </div>
  );
}

/** Of several that are drawn as one, the share that failed. */
function Failed({ bar: { items, status } }: { bar: Bar }) {
  const failed = items.filter((item) => item.status === 'failed').length;
  if (failed === 0 || status === 'failed') return null;
  return (
    <span
      aria-hidden
      className="absolute inset-x-0 bottom-0 min-h-[3px] rounded-b-[3px] bg-bad"
      style={{ height: `${(failed / items.length) * 100}%` }}
    />
  );
}

function tickText(at: number, step: number): string {
  const isDay = step >= 86_400_000 || new Date(at).getHours() + new Date(at).getMinutes() === 0;
  return new Intl.DateTimeFormat(
    document.documentElement.lang || 'en',
    isDay ? { month: 'short', day: 'numeric' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  ).format(at);
}

type Translate = ReturnType<typeof useTranslation>['t'];

/** What a bar is, in words. */
export function barText({ items, status }: Bar, t: Translate): string {
  const [item] = items;
  if (!item || items.length > 1) return t('dashboard.timeline.several', { count: items.length });
  return [
    t('dashboard.experiment', { number: item.experiment_id }),
    t(`status.${status}`, { defaultValue: status }),
    duration(item.elapsed_time),
  ].join(' · ');
}

function Detail({ bar, row, left, top }: { bar: Bar; row: Row; left: number; top: number }) {
  const { t } = useTranslation();
  const [item] = bar.items;
  const counts = Object.entries(
    bar.items.reduce<Record<string, number>>((sum, { status }) => {
      sum[status] = (sum[status] ?? 0) + 1;
      return sum;
    }, {}),
  );
  return (
    <div
      aria-hidden
      className="pointer-events-none absolute z-20 w-56 rounded-lg border border-line bg-raised px-3 py-2 text-xs shadow-pop"
      style={{ top, left: `calc((100% - 14rem) * ${left / 100})` }}
    >
      <div className="mb-1 font-medium">{barText(bar, t)}</div>
      {bar.items.length > 1
        ? counts.map(([status, count]) => (
            <Line key={status} name={t(`status.${status}`, { defaultValue: status })} value={count} />
          ))
        : item && (
            <>
              <Line name={t('dashboard.timeline.began')} value={clock(item.started_at)} />
              {item.completed_at && (
                <Line name={t('dashboard.timeline.ended')} value={clock(item.completed_at)} />
              )}
              {item.objective_score !== null && item.objective_score !== undefined && (
                <Line name={t('dashboard.timeline.score')} value={number(item.objective_score)} />
              )}
            </>
          )}
      <Line
        name={t('dashboard.timeline.ofTask')}
        value={Object.values(row.counts).reduce((sum, count) => sum + count, 0)}
      />
    </div>
  );
}

function Line({ name, value }: { name: string; value: string | number }) {
  return (
    <div className="num flex justify-between gap-3 text-muted">
      <span>{name}</span>
      <span className="text-fg">{value}</span>
    </div>
  );
}
