/** A chart: fetched when it is first shown, in the colours of the page, as wide as its place. */
import type { ECElementEvent, ECharts, EChartsOption } from 'echarts';
import { ChartColumn, Table2 } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Skeleton } from '@/components/States';
import { cx } from '@/lib/cx';
import { ChartTable, type TableAlternative } from './ChartTable';
import { chartTheme } from './theme';
import { canPaint, useTokens } from './tokens';

export type { EChartsOption, TableAlternative };
export type ChartEvent = ECElementEvent;

export interface ChartProps {
  option: EChartsOption;
  /** Its accessible name: what the chart shows. */
  label: string;
  height?: number;
  onClick?: (event: ChartEvent) => void;
  /** Other events of the chart, by their name. Keep the object the same between renders. */
  events?: Readonly<Record<string, (event: unknown, chart: ECharts) => void>>;
  /** After it was drawn anew; keep the function the same between renders. */
  onDrawn?: (chart: ECharts) => void;
  /** The same in rows, for who cannot see or does not like the picture. */
  table?: TableAlternative;
  isLoading?: boolean;
  className?: string;
}

export function Chart(props: ChartProps) {
  const { label, height = 280, table, isLoading = false, className } = props;
  const { t } = useTranslation();
  const [isTable, setTable] = useState(false);
  const Icon = isTable ? ChartColumn : Table2;
  return (
    <div className={cx('min-w-0', className)}>
      {isLoading ? (
        <div style={{ height }}>
          <Skeleton className="size-full" />
        </div>
      ) : isTable && table ? (
        <ChartTable label={label} table={table} height={height} />
      ) : (
        <Canvas {...props} height={height} />
      )}
      {table && !isLoading && (
        <div className="mt-1 flex justify-end">
          <button
            type="button"
            aria-pressed={isTable}
            onClick={() => setTable((before) => !before)}
            className="inline-flex items-center gap-1 rounded px-1.5 py-1 text-2xs text-muted hover:bg-sunken hover:text-fg"
          >
            <Icon aria-hidden className="size-3.5" />
            {isTable ? t('results.chart.asChart') : t('results.chart.asTable')}
          </button>
        </div>
      )}
    </div>
  );
}

const isStill = () => window.matchMedia?.('(prefers-reduced-motion: reduce)').matches ?? false;

function Canvas({ option, label, height = 280, onClick, onDrawn, events }: ChartProps) {
  const tokens = useTokens();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts | null>(null);
  const [isReady, setReady] = useState(false);
  const newest = useRef({ tokens, onClick, onDrawn });
  newest.current = { tokens, onClick, onDrawn };

  useEffect(() => {
    const element = place.current;
    if (!element || !canPaint()) return;
    let isGone = false;
    let observer: ResizeObserver | undefined;
    void import('./echarts').then(({ init }) => {
      if (isGone) return;
      const made = init(element, chartTheme(newest.current.tokens), { renderer: 'canvas' }) as ECharts;
      made.on('click', (event) => newest.current.onClick?.(event));
      chart.current = made;
      observer = new ResizeObserver(() => {
        if (element.clientWidth > 0) made.resize();
      });
      observer.observe(element);
      setReady(true);
    });
    return () => {
      isGone = true;
      observer?.disconnect();
      chart.current?.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    if (isReady) chart.current?.setTheme(chartTheme(tokens));
  }, [isReady, tokens]);

  useEffect(() => {
    if (!isReady) return;
    chart.current?.setOption(
      { animationDuration: 250, animationDurationUpdate: 250, animation: !isStill(), ...option },
      { notMerge: true },
    );
    if (chart.current) newest.current.onDrawn?.(chart.current);
  }, [isReady, option]);

  useEffect(() => {
    const made = chart.current;
    if (!isReady || !made || !events) return;
    for (const [name, listener] of Object.entries(events))
      made.on(name, (event: unknown) => listener(event, made));
    return () => {
      for (const name of Object.keys(events)) made.off(name);
    };
  }, [isReady, events]);

  return (
    <div className="relative min-w-0" style={{ height }}>
      {!isReady && <Skeleton className="absolute inset-0" />}
      <div ref={place} role="img" aria-label={label} className="absolute inset-0" />
    </div>
  );
}
