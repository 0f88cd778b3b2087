/** A level's window over time: one number a slice. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import type { TimeSeries } from '@/components/experiment/worth';
import { duration, number } from '@/lib/format';
import { type MetricKind, withUnit } from '@/lib/units';
import type { TableAlternative } from './ChartTable';
import { tip } from './tip';
import type { Tokens } from './tokens';

/** What is drawn over time; their names are in `results.series`. */
export const SERIES_CHARTS = ['throughput', 'ttft', 'inFlight', 'requests'] as const;
export type SeriesChart = (typeof SERIES_CHARTS)[number];

interface Track {
  name: string;
  color: string;
  values: readonly (number | null)[];
}

export interface SeriesInput {
  series: TimeSeries;
  chart: SeriesChart;
  tokens: Tokens;
  t: TFunction;
}

function kindOf(chart: SeriesChart): MetricKind {
  if (chart === 'throughput') return 'tokens_per_second';
  return chart === 'ttft' ? 'seconds' : 'count';
}

function tracksOf({ series, chart, tokens, t }: SeriesInput): Track[] {
  const name = (key: string) => t(`results.series.${key}`);
  if (chart === 'requests')
    return [
      { name: name('completed'), color: tokens.good, values: series.completed },
      { name: name('failed'), color: tokens.bad, values: series.failed },
    ];
  const values = { throughput: series.outputTokens, ttft: series.ttft, inFlight: series.inFlight }[chart];
  return [{ name: name(chart), color: tokens.accent, values }];
}

/** When a slice begins and ends, counted from the opening of the window. */
export function spanText(slice: number, index: number): string {
  return `${duration(slice * index)} – ${duration(slice * (index + 1))}`;
}

export function seriesOption(input: SeriesInput): EChartsOption {
  const { series, chart } = input;
  const kind = kindOf(chart);
  const tracks = tracksOf(input);
  const isCounted = chart === 'requests';
  return {
    grid: {
      left: 8,
      right: 12,
      top: 12,
      bottom: 4,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: isCounted ? 'shadow' : 'line' },
      formatter: (params) => {
        const all = Array.isArray(params) ? params : [params];
        const index = all[0]?.dataIndex ?? 0;
        return tip(
          spanText(series.slice, index),
          tracks.map(({ name, color, values }) => ({
            name,
            color,
            value: withUnit(kind, values[index] ?? null),
          })),
        );
      },
    },
    xAxis: {
      type: 'category',
      // A slice stands for the time that it ends at.
      data: series.outputTokens.map((_, index) => duration(series.slice * (index + 1))),
      boundaryGap: isCounted,
    },
    yAxis: {
      type: 'value',
      min: 0,
      splitNumber: 4,
      ...(kind === 'count' && { minInterval: 1 }),
      axisLabel: {
        formatter: (value: number) => (kind === 'count' ? number(value) : withUnit(kind, value)),
      },
      axisLine: { show: false },
    },
    series: tracks.map(({ name, color, values }) =>
      isCounted
        ? {
            name,
            type: 'bar' as const,
            stack: 'requests',
            data: [...values],
            itemStyle: { color },
            barMaxWidth: 18,
          }
        : {
            name,
            type: 'line' as const,
            data: [...values],
            showSymbol: values.length < 3,
            lineStyle: { color, width: 2 },
            itemStyle: { color },
            areaStyle: { color, opacity: 0.08 },
            connectNulls: false,
          },
    ),
  };
}

export function seriesTable(input: SeriesInput): TableAlternative {
  const tracks = tracksOf(input);
  const kind = kindOf(input.chart);
  return {
    columns: [input.t('results.series.time'), ...tracks.map(({ name }) => name)],
    rows: input.series.outputTokens.map((_, index) => [
      spanText(input.series.slice, index),
      ...tracks.map(({ values }) => {
        const value = values[index] ?? null;
        return value === null ? null : withUnit(kind, value);
      }),
    ]),
  };
}
