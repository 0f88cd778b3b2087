/** What a timeline of experiments draws: rows of tasks, bars in lanes, and ticks below them. */

export interface TimelineItem {
  id: number;
  task_id: number;
  experiment_id: number;
  status: string;
  started_at: string;
  completed_at?: string | null;
  elapsed_time?: number | null;
  objective_score?: number | null;
}

/** One experiment, or several that would be too small to tell apart. */
export interface Bar {
  key: number;
  lane: number;
  from: number;
  to: number;
  status: string;
  items: TimelineItem[];
}

export interface Row {
  task: number;
  lanes: number;
  bars: Bar[];
  counts: Record<string, number>;
  /** When the latest of them began. */
  latest: number;
}

export interface Span {
  from: number;
  to: number;
}

/** Bars narrower than this many pixels are drawn together with their neighbours. */
const LEAST = 3;

function commonest(items: readonly TimelineItem[]): string {
  const counts = countBy(items);
  return Object.entries(counts).sort(([, one], [, other]) => other - one)[0]?.[0] ?? '';
}

function countBy(items: readonly TimelineItem[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of items) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The row of one task: experiments at the same time lie in lanes below each other. */
function rowOf(task: number, items: TimelineItem[], span: Span, msPerPixel: number, now: number): Row {
  const least = LEAST * msPerPixel;
  const last: Bar[] = [];
  const bars: Bar[] = [];
  let latest = 0;
  for (const item of items) {
    const from = new Date(item.started_at).getTime();
    const to = item.completed_at ? new Date(item.completed_at).getTime() : now;
    latest = Math.max(latest, from);
    if (to < span.from || from > span.to) continue;
    let lane = last.findIndex((bar) => bar.to <= from + 1);
    if (lane < 0) lane = last.length;
    const before = last[lane];
    // Two that are both small and next to each other become one.
    if (before && to - from < least && before.to - before.from < least && to - before.from < least) {
      before.to = Math.max(before.to, to);
      before.items.push(item);
      before.status = commonest(before.items);
      continue;
    }
    const bar: Bar = {
      key: item.id,
      lane,
      from: Math.max(from, span.from),
      to,
      status: item.status,
      items: [item],
    };
    last[lane] = bar;
    bars.push(bar);
  }
  return { task, lanes: Math.max(1, last.length), bars, counts: countBy(items), latest };
}

/** Rows of tasks, the one that was at work last on top. */
export function rowsOf(items: readonly TimelineItem[], span: Span, msPerPixel: number, now: number): Row[] {
  const tasks = new Map<number, TimelineItem[]>();
  for (const item of items) {
    const before = tasks.get(item.task_id);
    if (before) before.push(item);
    else tasks.set(item.task_id, [item]);
  }
  return [...tasks]
    .map(([task, items]) => rowOf(task, items, span, msPerPixel, now))
    .filter(({ bars }) => bars.length > 0)
    .sort((one, other) => other.latest - one.latest);
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880].map((minutes) => minutes * MINUTE);

/** Moments for ticks: round ones in the zone of the user, as many as there is room for. */
export function ticksOf({ from, to }: Span, most: number): { at: number[]; step: number } {
  const step = STEPS.find((step) => (to - from) / step <= Math.max(1, most)) ?? 2880 * MINUTE;
  const midnight = new Date(from);
  midnight.setHours(0, 0, 0, 0);
  const at: number[] = [];
  let next = midnight.getTime();
  while (next <= to) {
    if (next >= from) at.push(next);
    const moved = new Date(next);
    // A day is not always 24 hours.
    if (step >= 24 * HOUR) moved.setDate(moved.getDate() + step / (24 * HOUR));
    else moved.setTime(next + step);
    next = moved.getTime();
  }
  return { at, step };
}

export const SPANS = { '1h': 1, '6h': 6, '24h': 24, '7d': 168 } as const;
/** `fit` shows what there is of the last day. */
export type SpanName = keyof typeof SPANS | 'fit';

/** Less than this is not shown larger than life. */
const LEAST_FITTED = 10 * MINUTE;

/** Where a span begins that shows everything of the last day, as large as it goes. */
export function fittedFrom(items: readonly TimelineItem[], now: number): number {
  const day = now - 24 * HOUR;
  const earliest = items.reduce((least, { started_at, completed_at }) => {
    const began = new Date(started_at).getTime();
    const ended = completed_at ? new Date(completed_at).getTime() : now;
    return ended > day ? Math.min(least, began) : least;
  }, now);
  const length = Math.max(LEAST_FITTED, (now - earliest) * 1.02);
  return Math.max(day, now - length);
}
