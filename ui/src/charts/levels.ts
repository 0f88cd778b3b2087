/** How measurements change with the load: one line for each experiment, over the concurrency or the rate. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import type { Level } from '@/components/experiment/read';
import { type Interval, intervalText } from '@/components/experiment/worth';
import { number } from '@/lib/format';
import { type MetricKind, withUnit } from '@/lib/units';
import type { TableAlternative } from './ChartTable';
import { tip } from './tip';
import type { Tokens } from './tokens';

export interface LevelMetric {
  key: string;
  kind: MetricKind;
  /** What of a level is drawn. */
  read: (level: Level) => number | null;
  /** Under which name its interval stands, where it has one. */
  interval?: string;
}

/** What is drawn over the load; their names are in `results.level`. */
export const LEVEL_METRICS: readonly LevelMetric[] = [
  {
    key: 'total_throughput',
    kind: 'tokens_per_second',
    read: (level) => level.totalThroughput,
    interval: 'mean_total_throughput',
  },
  {
    key: 'output_throughput',
    kind: 'tokens_per_second',
    read: (level) => level.outputThroughput,
    interval: 'mean_output_throughput',
  },
  { key: 'ttft_mean', kind: 'seconds', read: (level) => level.ttft.mean, interval: 'mean_ttft' },
  { key: 'ttft_p99', kind: 'seconds', read: (level) => level.ttft.p99, interval: 'p99_ttft' },
  { key: 'tpot_mean', kind: 'seconds', read: (level) => level.tpot.mean, interval: 'mean_tpot' },
  { key: 'tpot_p99', kind: 'seconds', read: (level) => level.tpot.p99 },
  { key: 'e2e_mean', kind: 'seconds', read: (level) => level.e2e.mean, interval: 'mean_e2e_latency' },
  { key: 'e2e_p99', kind: 'seconds', read: (level) => level.e2e.p99, interval: 'p99_e2e_latency' },
  {
    key: 'goodput',
    kind: 'requests_per_second',
    read: (level) => level.goodput,
    interval: 'goodput_requests_per_second',
  },
];

export interface LevelSeries {
  name: string;
  /** Which of the page's series colours, so that one experiment looks the same everywhere. */
  color: string;
  isDashed?: boolean;
  levels: readonly Level[];
}

export interface LevelsInput {
  series: readonly LevelSeries[];
  metric: LevelMetric;
  scenario: string;
  bound: number | null;
  tokens: Tokens;
  t: TFunction;
}

/** Scenarios that any of them was measured with, in their order. */
export function scenariosOf(series: readonly { levels: readonly Level[] }[]): string[] {
  return [...new Set(series.flatMap(({ levels }) => levels.map((level) => level.scenario)))];
}

/** Loads of a scenario, ascending. */
export function loadsOf(series: readonly { levels: readonly Level[] }[], scenario: string): number[] {
  const all = series.flatMap(({ levels }) =>
    levels.filter((level) => level.scenario === scenario).map((level) => level.load),
  );
  return [...new Set(all)].sort((a, b) => a - b);
}

/** What the loads of a scenario are: concurrencies, starts by a clock, or both. */
export function axisOf(
  series: readonly { levels: readonly Level[] }[],
  scenario: string,
): 'concurrency' | 'rate' | 'load' {
  const all = series.flatMap(({ levels }) => levels.filter((level) => level.scenario === scenario));
  const byClock = all.filter(({ worth }) => worth.schedule !== null);
  if (byClock.length === 0) return 'concurrency';
  return byClock.length === all.length ? 'rate' : 'load';
}

/** A load as it is called in texts. */
export function loadText(t: TFunction, axis: 'concurrency' | 'rate' | 'load', load: number): string {
  if (axis === 'concurrency') return t('results.level.at', { concurrency: load });
  return axis === 'rate' ? t('results.level.atRate', { rate: number(load) }) : number(load);
}

const levelAt = (levels: readonly Level[], scenario: string, load: number) =>
  levels.find((each) => each.scenario === scenario && each.load === load);

const valueAt = (levels: readonly Level[], scenario: string, load: number, metric: LevelMetric) => {
  const level = levelAt(levels, scenario, load);
  return level ? metric.read(level) : null;
};

const intervalAt = (
  levels: readonly Level[],
  scenario: string,
  load: number,
  metric: LevelMetric,
): Interval | undefined =>
  metric.interval === undefined
    ? undefined
    : levelAt(levels, scenario, load)?.worth.intervals[metric.interval];

export function levelsOption({ series, metric, scenario, bound, tokens, t }: LevelsInput): EChartsOption {
  const loads = loadsOf(series, scenario);
  const axis = axisOf(series, scenario);
  const isAlone = loads.length === 1;
  const format = (value: number) => withUnit(metric.kind, value);
  return {
    grid: {
      left: 8,
      right: 12,
      top: 12,
      bottom: 22,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: isAlone ? 'shadow' : 'line' },
      formatter: (params) => {
        const all = Array.isArray(params) ? params : [params];
        const load = loads[all[0]?.dataIndex ?? -1];
        return tip(
          load === undefined ? '' : loadText(t, axis, load),
          series.map(({ name, color, levels }) => {
            const value = load === undefined ? null : valueAt(levels, scenario, load, metric);
            const sure = load === undefined ? undefined : intervalAt(levels, scenario, load, metric);
            const within = sure ? ` (${intervalText(metric.kind, sure)})` : '';
            return { name, color, value: value === null ? '–' : format(value) + within };
          }),
        );
      },
    },
    xAxis: {
      type: 'category',
      data: loads.map((load) => number(load)),
      boundaryGap: isAlone,
      name: t(`results.level.${axis}`),
      nameLocation: 'middle',
      nameGap: 6,
    },
    yAxis: {
      type: 'value',
      min: 0,
      splitNumber: 4,
      axisLabel: { formatter: format },
      axisLine: { show: false },
    },
    series: series.map(({ name, color, isDashed, levels }, index) => {
      const data = loads.map((load) => valueAt(levels, scenario, load, metric));
      const line =
        index === 0 && bound !== null
          ? {
              markLine: {
                symbol: 'none',
                silent: true,
                animation: false,
                lineStyle: { color: tokens.warn, type: 'dashed' as const },
                label: {
                  formatter: `SLO ${format(bound)}`,
                  position: 'insideEndTop' as const,
                  color: tokens.warn,
                  fontSize: 11,
                },
                data: [{ yAxis: bound }],
              },
            }
          : {};
      return isAlone
        ? {
            name,
            type: 'bar' as const,
            data,
            barMaxWidth: 42,
            barGap: '15%',
            itemStyle: { color, borderRadius: [3, 3, 0, 0], opacity: isDashed ? 0.55 : 0.9 },
            ...line,
          }
        : {
            name,
            type: 'line' as const,
            data,
            symbol: 'circle',
            symbolSize: 6,
            lineStyle: { color, width: 2, type: isDashed ? ('dashed' as const) : ('solid' as const) },
            itemStyle: { color },
            connectNulls: false,
            ...line,
          };
    }),
  };
}

export function levelsTable({ series, metric, scenario, t }: LevelsInput): TableAlternative {
  return {
    columns: [t(`results.level.${axisOf(series, scenario)}`), ...series.map(({ name }) => name)],
    rows: loadsOf(series, scenario).map((load) => [
      load,
      ...series.map(({ levels }) => {
        const value = valueAt(levels, scenario, load, metric);
        return value === null ? null : withUnit(metric.kind, value);
      }),
    ]),
  };
}
