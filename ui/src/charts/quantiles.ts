/** How a latency is spread over the requests of one level: its percentiles, side by side. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import type { Distribution } from '@/components/experiment/read';
import { duration } from '@/lib/format';
import type { TableAlternative } from './ChartTable';
import { tip } from './tip';
import type { Tokens } from './tokens';

export const QUANTILES = ['min', 'p50', 'p90', 'p95', 'p99', 'max'] as const;

export interface QuantileSeries {
  name: string;
  color: string;
  isDashed?: boolean;
  distribution: Distribution;
}

export interface QuantilesInput {
  series: readonly QuantileSeries[];
  /** Bounds by the percentile that they are on; one on the mean is drawn nowhere. */
  bounds: Readonly<Record<string, number>>;
  tokens: Tokens;
  t: TFunction;
}

const label = (key: string) => (key.startsWith('p') ? key.toUpperCase() : key);

/** Bounds that are not so far above all that was measured that nothing else could be read. */
function nearBounds({ series, bounds }: QuantilesInput): Readonly<Record<string, number>> {
  const highest = Math.max(0, ...series.map(({ distribution }) => distribution.max ?? distribution.p99 ?? 0));
  return Object.fromEntries(Object.entries(bounds).filter(([, bound]) => bound <= highest * 2));
}

export function quantilesOption(input: QuantilesInput): EChartsOption {
  const { series, bounds, tokens, t } = input;
  const near = nearBounds(input);
  return {
    grid: {
      left: 8,
      right: 16,
      top: 12,
      bottom: 6,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    tooltip: {
      trigger: 'axis',
      formatter: (params) => {
        const all = Array.isArray(params) ? params : [params];
        const key = QUANTILES[all[0]?.dataIndex ?? -1];
        if (!key) return '';
        const bound = bounds[key];
        const isLow = series.some(({ distribution }) => distribution.lowN.includes(key));
        return tip(
          label(key),
          [
            ...series.map(({ name, color, distribution }) => ({
              name,
              color,
              value: duration(distribution[key]),
            })),
            ...(bound === undefined ? [] : [{ name: 'SLO', value: duration(bound), color: tokens.warn }]),
          ],
          isLow ? t('results.lowN') : undefined,
        );
      },
    },
    xAxis: { type: 'category', data: QUANTILES.map(label), boundaryGap: true },
    yAxis: {
      type: 'value',
      min: 0,
      splitNumber: 4,
      axisLabel: { formatter: duration },
      axisLine: { show: false },
    },
    series: [
      ...series.map(({ name, color, isDashed, distribution }) => ({
        name,
        type: 'line' as const,
        data: QUANTILES.map((key) => ({
          value: distribution[key],
          ...(distribution.lowN.includes(key) ? { symbol: 'emptyCircle' } : {}),
        })),
        symbol: 'circle',
        symbolSize: 7,
        lineStyle: { color, width: 2, type: isDashed ? ('dashed' as const) : ('solid' as const) },
        itemStyle: { color },
      })),
      {
        name: 'SLO',
        type: 'scatter' as const,
        data: QUANTILES.map((key) => near[key] ?? null),
        symbol: 'rect',
        symbolSize: [34, 2],
        itemStyle: { color: tokens.warn },
        silent: true,
        z: 5,
      },
    ],
  };
}

export function quantilesTable({ series, t }: QuantilesInput): TableAlternative {
  return {
    columns: [t('results.percentile'), ...series.map(({ name }) => name)],
    rows: ['n' as const, 'mean' as const, ...QUANTILES].map((key) => [
      label(key),
      ...series.map(({ distribution }) => {
        const value = distribution[key];
        if (value === null) return null;
        return key === 'n' ? value : duration(value);
      }),
    ]),
  };
}
