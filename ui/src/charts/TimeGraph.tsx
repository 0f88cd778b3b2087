/** Lines over time as they grow, drawn on a canvas; their latest values stand above as text. */
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock } from '@/lib/format';
import { useTheme } from '@/lib/theme';

export type LineTone = 'accent' | 'info' | 'good' | 'warn' | 'bad' | 'muted';

export interface Line {
  name: string;
  values: readonly (number | null | undefined)[];
  tone: LineTone;
  /** Without a surface below it. */
  isBare?: boolean;
}

export interface TimeGraphProps {
  /** Seconds since 1970, ascending, one for each value of each line. */
  times: readonly number[];
  lines: readonly Line[];
  /** Writes a value with its unit. */
  format: (value: number | null | undefined) => string;
  /** Its accessible name. */
  label: string;
  height?: number;
  /** Seconds that are shown. */
  span?: number;
  /** Whether steps of the scale are powers of two, as for bytes. */
  isBinary?: boolean;
  /** The scale reaches this at least. */
  least?: number;
}

const DOT: Record<LineTone, string> = {
  accent: 'bg-accent',
  info: 'bg-info',
  good: 'bg-good',
  warn: 'bg-warn',
  bad: 'bg-bad',
  muted: 'bg-muted',
};

const POWERS = Array.from({ length: 50 }, (_, exponent) => 2 ** exponent);

/** The colours of the theme that is on. */
function colours(element: Element): (name: string) => string {
  const style = getComputedStyle(element);
  return (name) => style.getPropertyValue(`--${name}`).trim() || 'grey';
}

export function TimeGraph({
  times,
  lines,
  format,
  label,
  height = 140,
  span = 300,
  least = 0,
  isBinary = false,
}: TimeGraphProps) {
  const box = useRef<HTMLDivElement>(null);
  const graph = useRef<uPlot | null>(null);
  const { isDark } = useTheme();
  const [at, setAt] = useState<number | null>(null);
  const writing = useRef({ format, span, least });
  writing.current = { format, span, least };
  const shape = lines.map(({ name, tone, isBare }) => `${name}/${tone}/${isBare ?? false}`).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew for another theme or other lines
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const colour = colours(element);
    const axis = {
      stroke: colour('muted'),
      font: '11px "Inter Variable", sans-serif',
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
    };
    const made = new uPlot(
      {
        width: element.clientWidth || 300,
        height,
        legend: { show: false },
        cursor: { y: false, points: { size: 6 }, drag: { x: false, y: false } },
        padding: [8, 4, 0, 0],
        scales: {
          x: {
            time: true,
            range: (_, __, max) => [(max ?? 0) - writing.current.span, max ?? 1],
          },
          y: { range: (_, __, max) => [0, Math.max(writing.current.least, (max ?? 0) * 1.15, 1e-9)] },
        },
        axes: [
          { ...axis, space: 70, size: 24, values: (_, ticks) => ticks.map((tick) => clock(tick * 1000)) },
          {
            ...axis,
            size: 62,
            ...(isBinary && { incrs: POWERS }),
            space: 32,
            values: (_, ticks) => ticks.map((tick) => writing.current.format(tick)),
          },
        ],
        series: [
          {},
          ...lines.map(({ tone, isBare }) => ({
            stroke: colour(tone),
            width: 1.5,
            points: { show: false },
            ...(!isBare && { fill: `color-mix(in oklch, ${colour(tone)} 14%, transparent)` }),
          })),
        ],
        hooks: { setCursor: [(self) => setAt(self.cursor.idx ?? null)] },
      },
      [[], ...lines.map(() => [])],
      element,
    );
    graph.current = made;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      graph.current = null;
    };
  }, [height, isDark, shape]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a graph that was made anew has no data
  useEffect(() => {
    graph.current?.setData([
      times as number[],
      ...lines.map(({ values }) => values.map((value) => value ?? null)),
    ]);
  }, [times, lines, height, isDark, shape]);

  const index = at ?? times.length - 1;
  const value = (line: Line) => format(line.values[index]);
  return (
    <figure className="min-w-0">
      <figcaption className="flex flex-wrap items-baseline gap-x-4 gap-y-1 text-xs">
        {lines.map((line) => (
          <span key={line.name} className="inline-flex items-center gap-1.5">
            <span aria-hidden className={`size-2 rounded-full ${DOT[line.tone]}`} />
            <span className="text-muted">{line.name}</span>
            <span className="num font-medium">{value(line)}</span>
          </span>
        ))}
        {at !== null && times[at] !== undefined && (
          <span className="num ml-auto text-muted">{clock((times[at] ?? 0) * 1000)}</span>
        )}
      </figcaption>
      <div
        ref={box}
        role="img"
        aria-label={`${label}: ${lines.map((line) => `${line.name} ${format(line.values.at(-1))}`).join(', ')}`}
        className="mt-1 min-w-0 overflow-hidden"
        style={{ height }}
      />
    </figure>
  );
}
