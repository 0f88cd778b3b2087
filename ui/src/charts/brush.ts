/** Parts of the axes that are brushed: what they keep, and how an address writes them. */
import type { ECharts } from 'echarts';
import { asFinite } from '@/components/experiment/free';
import type { Dimension } from '@/components/experiment/parameters';
import { setting } from '@/lib/format';

export type Interval = readonly [number, number];
/** By the name of the axis; categories count by their place. */
export type Brush = Readonly<Record<string, readonly Interval[]>>;

/** The axis of the objective, which no parameter is called. */
export const OBJECTIVE_AXIS = '(objective)';

/** Where a value lies on its axis. */
function place(dimension: Dimension, value: unknown): number | null {
  if (value === undefined) return null;
  if (dimension.kind === 'number') return asFinite(value);
  const index = dimension.categories.indexOf(setting(value));
  return index < 0 ? null : index;
}

/** Whether a row is inside every brushed axis. */
export function isBrushed(
  row: { parameters: Readonly<Record<string, unknown>>; value: number | null },
  dimensions: readonly Dimension[],
  brush: Brush,
): boolean {
  return Object.entries(brush).every(([name, intervals]) => {
    if (intervals.length === 0) return true;
    const dimension = dimensions.find((each) => each.name === name);
    const at =
      name === OBJECTIVE_AXIS ? row.value : dimension ? place(dimension, row.parameters[name]) : undefined;
    // An axis that is not there any more keeps everything.
    if (at === undefined) return true;
    return at !== null && intervals.some(([low, high]) => at >= low && at <= high);
  });
}

/** `max-num-seqs:8:32,enforce-eager:0:0`. */
export function brushToText(brush: Brush): string {
  return Object.entries(brush)
    .flatMap(([name, intervals]) =>
      intervals.map(([low, high]) => `${encodeURIComponent(name)}:${short(low)}:${short(high)}`),
    )
    .join(',');
}

const short = (value: number) => Number(value.toPrecision(6));

export function brushOfText(text: string | undefined): Brush {
  const brush: Record<string, Interval[]> = {};
  for (const part of (text ?? '').split(',')) {
    const [name, low, high] = part.split(':');
    if (!name || low === undefined || high === undefined) continue;
    const interval: Interval = [Number(low), Number(high)];
    if (!interval.every(Number.isFinite)) continue;
    try {
      const known = decodeURIComponent(name);
      brush[known] = [...(brush[known] ?? []), interval];
    } catch {
      // Not an address that was made here.
    }
  }
  return brush;
}

/** What the chart library keeps of a brush that is drawn. */
interface Drawn {
  parent?: { __brushOption?: unknown };
  setStyle?: (style: object) => void;
}

/** Gives brushes that were not drawn by hand the colour of those that were. */
export function paintBrushes(chart: ECharts, color: string): void {
  for (const shape of chart.getZr().storage.getDisplayList(true) as unknown as Drawn[]) {
    if (shape.parent?.__brushOption)
      shape.setStyle?.({ fill: color, stroke: color, opacity: 0.25, lineWidth: 1 });
  }
}
