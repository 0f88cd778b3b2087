/** Where configurations work: counts by value of a parameter, and a map of two. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import type { Schemas } from '@/api/client';
import { percent, setting } from '@/lib/format';
import type { TableAlternative } from './ChartTable';
import { short } from './interactions';
import { type TipRow, tip } from './tip';
import { type Tokens, withAlpha } from './tokens';

export type Counts = Schemas['CountsView'];
export type ValueMap = Schemas['ValueMapView'];
export type PairMap = Schemas['PairMapView'];

interface Look {
  tokens: Tokens;
  t: TFunction;
}

/** A value as it is written; neighbouring ones from the lowest to the highest. */
export function spanText({ from, to }: { from?: unknown; to?: unknown }): string {
  const [low, high] = [setting(from), setting(to)];
  return low === high ? low : `${low} – ${high}`;
}

const failures = (counts: Counts) => counts.failed.reduce((sum, { n }) => sum + n, 0);

/** What became of some experiments, line by line. */
function countRows(counts: Counts, { tokens, t }: Look): TipRow[] {
  const rows: TipRow[] = [{ name: t('results.works.good'), value: String(counts.good), color: tokens.good }];
  if (counts.missed_slo > 0)
    rows.push({ name: t('results.works.missed'), value: String(counts.missed_slo), color: tokens.warn });
  for (const { kind, n } of counts.failed)
    rows.push({ name: t(`failure.${kind}`, { defaultValue: kind }), value: String(n), color: tokens.bad });
  return rows;
}

/** Stacked bars, one for each value. */
export function valuesOption({ name, values }: ValueMap, look: Look): EChartsOption {
  const { tokens, t } = look;
  const names = values.map(spanText);
  const bar = (color: string, of: (counts: Counts) => number, label: string) => ({
    type: 'bar' as const,
    name: label,
    stack: 'all',
    barMaxWidth: 14,
    data: values.map(({ counts }) => of(counts)),
    itemStyle: { color: withAlpha(color, 0.75) },
  });
  return {
    grid: { left: 4, right: 10, top: 2, bottom: 2, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      formatter: (params) => {
        const one = Array.isArray(params) ? params[0] : params;
        const found = values[one?.dataIndex ?? -1];
        return found ? tip(`${name} = ${spanText(found)}`, countRows(found.counts, look)) : '';
      },
    },
    xAxis: { type: 'value', minInterval: 1, axisLine: { show: false } },
    yAxis: {
      type: 'category',
      inverse: true,
      data: names,
      axisLine: { show: false },
      axisLabel: { color: tokens.fg, interval: 0, formatter: (text: string) => short(text, 18) },
    },
    series: [
      bar(tokens.good, (counts) => counts.good, t('results.works.good')),
      bar(tokens.warn, (counts) => counts.missed_slo, t('results.works.missed')),
      bar(tokens.bad, failures, t('results.works.failed')),
    ],
  };
}

const COLUMNS = ['experiments', 'good', 'missed', 'failed'] as const;

export function valuesTable({ name, values }: ValueMap, t: TFunction): TableAlternative {
  return {
    columns: [name, ...COLUMNS.map((column) => t(`results.works.${column}`))],
    rows: values.map((value) => [spanText(value), ...numbers(value.counts)]),
  };
}

const numbers = (counts: Counts) => [counts.n, counts.good, counts.missed_slo, failures(counts)];

/** A map: how many of those that were tried are as they should be, where two values meet. */
export function pairOption(map: PairMap, look: Look & { isNarrow: boolean }): EChartsOption {
  const { tokens, isNarrow } = look;
  const [columns, rows] = [map.first_values.map(spanText), map.second_values.map(spanText)];
  return {
    grid: {
      left: 8,
      right: 12,
      top: 6,
      bottom: 6,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    tooltip: {
      trigger: 'item',
      formatter: (params) => {
        const one = Array.isArray(params) ? params[0] : params;
        const cell = map.cells[one?.dataIndex ?? -1];
        if (!cell) return '';
        const title = `${map.first}=${columns[cell.first]} · ${map.second}=${rows[cell.second]}`;
        return tip(title, countRows(cell.counts, look));
      },
    },
    xAxis: {
      type: 'category',
      data: columns,
      axisLine: { show: false },
      axisLabel: {
        color: tokens.fg,
        interval: 0,
        hideOverlap: false,
        rotate: isNarrow && columns.join('').length > 24 ? 40 : 0,
        formatter: (text: string) => short(text, isNarrow ? 9 : 16),
      },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows,
      axisLine: { show: false },
      axisLabel: {
        color: tokens.fg,
        interval: 0,
        formatter: (text: string) => short(text, isNarrow ? 9 : 16),
      },
    },
    visualMap: {
      show: false,
      min: 0,
      max: 1,
      dimension: 2,
      inRange: { color: [tokens['bad-soft'], tokens['warn-soft'], tokens['good-soft']] },
    },
    series: [
      {
        type: 'heatmap',
        data: map.cells.map(({ first, second, counts }) => ({
          value: [first, second, counts.good / counts.n],
          label: {
            color: counts.good === counts.n ? tokens.good : counts.good === 0 ? tokens.bad : tokens.warn,
          },
        })),
        label: {
          show: true,
          fontSize: 11,
          formatter: ({ dataIndex }) => {
            const counts = map.cells[dataIndex]?.counts;
            return counts ? `${counts.good}/${counts.n}` : '';
          },
        },
        itemStyle: { borderColor: tokens.surface, borderWidth: 2, borderRadius: 4 },
        emphasis: { itemStyle: { borderColor: withAlpha(tokens.fg, 0.6), borderWidth: 1 } },
      },
    ],
  };
}

export function pairTable(map: PairMap, t: TFunction): TableAlternative {
  return {
    columns: [map.first, map.second, ...COLUMNS.map((column) => t(`results.works.${column}`)), '%'],
    rows: map.cells.map(({ first, second, counts }) => [
      spanText(map.first_values[first] ?? {}),
      spanText(map.second_values[second] ?? {}),
      ...numbers(counts),
      percent(counts.good / counts.n, 0),
    ]),
  };
}
