/** The objective against one parameter: every experiment, and the middle of each value. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import { asFinite } from '@/components/experiment/free';
import type { Dimension } from '@/components/experiment/parameters';
import type { PointState } from '@/components/experiment/read';
import { setting } from '@/lib/format';
import type { TableAlternative } from './ChartTable';
import { tip } from './tip';
import { type Tokens, withAlpha } from './tokens';

export interface SliceRow {
  number: number;
  value: unknown;
  objective: number;
  state: PointState;
}

export interface SliceInput {
  dimension: Dimension;
  rows: readonly SliceRow[];
  name: string;
  format: (value: number) => string;
  best: number | null;
  tokens: Tokens;
  t: TFunction;
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [high, low] = [sorted[middle] as number, sorted[middle - 1]];
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}

/** Rows of each value of a category, in the order of the axis. */
export function groups(
  dimension: Dimension,
  rows: readonly SliceRow[],
): { name: string; values: number[] }[] {
  return dimension.categories.map((name) => ({
    name,
    values: rows.filter((row) => setting(row.value) === name).map((row) => row.objective),
  }));
}

export function sliceOption(input: SliceInput): EChartsOption {
  const { dimension, rows, name, format, best, tokens, t } = input;
  const isCategory = dimension.kind === 'category';
  const spread = Math.min(0.3, rows.length / 40);
  // Points of one value are put beside each other, always in the same places.
  const jitter = (number: number) => (((number * 0.618034) % 1) - 0.5) * 2 * spread;
  const at = (row: SliceRow): number | null => {
    if (!isCategory) return asFinite(row.value);
    const index = dimension.categories.indexOf(setting(row.value));
    return index < 0 ? null : index + jitter(row.number);
  };
  const dots = (wanted: (row: SliceRow) => boolean) =>
    rows.filter(wanted).map((row) => [at(row), row.objective, row.number]);
  const byNumber = new Map(rows.map((row) => [row.number, row]));
  return {
    grid: {
      left: 6,
      right: 10,
      top: 10,
      bottom: 6,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    tooltip: {
      trigger: 'item',
      formatter: (params) => {
        const one = Array.isArray(params) ? params[0] : params;
        const row = byNumber.get(Number((one?.data as unknown[] | undefined)?.[2]));
        if (!row) return '';
        return tip(t('experiments.title', { number: row.number }), [
          { name: dimension.name, value: setting(row.value) },
          { name, value: format(row.objective) },
        ]);
      },
    },
    xAxis: isCategory
      ? {
          type: 'value',
          min: -0.5,
          max: dimension.categories.length - 0.5,
          interval: 1,
          splitLine: { show: false },
          axisLabel: {
            customValues: dimension.categories.map((_, index) => index),
            formatter: (value: number) => short(dimension.categories[Math.round(value)] ?? ''),
          },
        }
      : dimension.isLog
        ? { type: 'log', logBase: dimension.logBase, splitLine: { show: false } }
        : { type: 'value', scale: true, splitLine: { show: false } },
    yAxis: {
      type: 'value',
      scale: true,
      splitNumber: 4,
      axisLabel: { formatter: format },
      axisLine: { show: false },
    },
    series: [
      {
        type: 'scatter',
        data: dots((row) => row.state !== 'infeasible' && row.number !== best),
        symbolSize: rows.length > 300 ? 4 : 6,
        itemStyle: { color: withAlpha(tokens.accent, rows.length > 300 ? 0.35 : 0.6) },
      },
      {
        type: 'scatter',
        data: dots((row) => row.state === 'infeasible' && row.number !== best),
        symbol: 'diamond',
        symbolSize: rows.length > 300 ? 5 : 7,
        itemStyle: { color: withAlpha(tokens.warn, 0.1), borderColor: tokens.warn, borderWidth: 1 },
      },
      {
        type: 'scatter',
        data: isCategory
          ? groups(dimension, rows).flatMap(({ values }, index) => {
              const middle = median(values);
              return middle === null ? [] : [[index, middle]];
            })
          : [],
        symbol: 'rect',
        symbolSize: [26, 2.5],
        itemStyle: { color: tokens.fg },
        silent: true,
        z: 4,
      },
      {
        type: 'scatter',
        data: dots((row) => row.number === best),
        symbolSize: 10,
        itemStyle: { color: tokens.good, borderColor: tokens.surface, borderWidth: 1.5 },
        z: 5,
      },
    ],
  };
}

const short = (text: string) => (text.length > 10 ? `${text.slice(0, 9)}…` : text);

export function sliceTable({ dimension, rows, name, format, t }: SliceInput): TableAlternative {
  if (dimension.kind === 'category')
    return {
      columns: [dimension.name, t('results.slice.count'), t('results.slice.median', { name })],
      rows: groups(dimension, rows).map(({ name: value, values }) => {
        const middle = median(values);
        return [value, values.length, middle === null ? null : format(middle)];
      }),
    };
  return {
    columns: [t('experiments.column.number'), dimension.name, name],
    rows: rows
      .toSorted((a, b) => Number(a.value) - Number(b.value))
      .map((row) => [row.number, setting(row.value), format(row.objective)]),
  };
}
