/** How measurements change with the load: one line for each experiment, over the concurrency. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import type { Level } from '@/components/experiment/read';
import { type MetricKind, withUnit } from '@/lib/units';
import type { TableAlternative } from './ChartTable';
import { tip } from './tip';
import type { Tokens } from './tokens';

export interface LevelMetric {
  key: string;
  kind: MetricKind;
  /** What of a level is drawn. */
  read: (level: Level) => number | null;
}

/** What is drawn over the load; their names are in `results.level`. */
export const LEVEL_METRICS: readonly LevelMetric[] = [
  { key: 'total_throughput', kind: 'tokens_per_second', read: (level) => level.totalThroughput },
  { key: 'output_throughput', kind: 'tokens_per_second', read: (level) => level.outputThroughput },
  { key: 'ttft_mean', kind: 'seconds', read: (level) => level.ttft.mean },
  { key: 'ttft_p99', kind: 'seconds', read: (level) => level.ttft.p99 },
  { key: 'tpot_mean', kind: 'seconds', read: (level) => level.tpot.mean },
  { key: 'tpot_p99', kind: 'seconds', read: (level) => level.tpot.p99 },
  { key: 'e2e_mean', kind: 'seconds', read: (level) => level.e2e.mean },
  { key: 'e2e_p99', kind: 'seconds', read: (level) => level.e2e.p99 },
  { key: 'goodput', kind: 'requests_per_second', read: (level) => level.goodput },
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

/** Concurrencies of a scenario, ascending. */
export function concurrencies(series: readonly { levels: readonly Level[] }[], scenario: string): number[] {
  const all = series.flatMap(({ levels }) =>
    levels.filter((level) => level.scenario === scenario).map((level) => level.concurrency),
  );
  return [...new Set(all)].sort((a, b) => a - b);
}

const valueAt = (levels: readonly Level[], scenario: string, concurrency: number, metric: LevelMetric) => {
  const level = levels.find((each) => each.scenario === scenario && each.concurrency === concurrency);
  return level ? metric.read(level) : null;
};

export function levelsOption({ series, metric, scenario, bound, tokens, t }: LevelsInput): EChartsOption {
  const loads = concurrencies(series, scenario);
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
          t('results.level.at', { concurrency: load }),
          series.map(({ name, color, levels }) => {
            const value = load === undefined ? null : valueAt(levels, scenario, load, metric);
            return { name, color, value: value === null ? '–' : format(value) };
          }),
        );
      },
    },
    xAxis: {
      type: 'category',
      data: loads.map(String),
      boundaryGap: isAlone,
      name: t('results.level.concurrency'),
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
    columns: [t('results.level.concurrency'), ...series.map(({ name }) => name)],
    rows: concurrencies(series, scenario).map((load) => [
      load,
      ...series.map(({ levels }) => {
        const value = valueAt(levels, scenario, load, metric);
        return value === null ? null : withUnit(metric.kind, value);
      }),
    ]),
  };
}
