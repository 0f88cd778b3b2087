/** Every experiment as a line through its parameters, to its objective; axes are brushed. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import { asFinite } from '@/components/experiment/free';
import type { Dimension } from '@/components/experiment/parameters';
import type { Direction, PointState } from '@/components/experiment/read';
import { setting } from '@/lib/format';
import type { Tokens } from './tokens';

export interface ParallelRow {
  number: number;
  parameters: Readonly<Record<string, unknown>>;
  value: number | null;
  state: PointState;
}

export interface ParallelInput {
  rows: readonly ParallelRow[];
  dimensions: readonly Dimension[];
  direction: Direction;
  name: string;
  format: (value: number) => string;
  best: number | null;
  tokens: Tokens;
  t: TFunction;
  /** Little width: names are cut short. */
  isNarrow?: boolean;
}

/** Between two colours of six digits. */
export function blend(from: string, to: string, share: number): string {
  const at = (hex: string, index: number) => Number.parseInt(hex.slice(1 + index * 2, 3 + index * 2), 16);
  const parts = [0, 1, 2].map((index) =>
    Math.round(at(from, index) + (at(to, index) - at(from, index)) * share),
  );
  if (parts.some((part) => !Number.isFinite(part))) return to;
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** How good each value is among all, from 0 to 1, by rank: one outlier does not take all the colours. */
export function ranks(values: readonly (number | null)[], direction: Direction): (number | null)[] {
  const known = [...new Set(values.filter((value) => value !== null))].sort((a, b) => a - b);
  const last = Math.max(1, known.length - 1);
  const place = new Map(known.map((value, index) => [value, index / last]));
  return values.map((value) => {
    if (value === null) return null;
    const rank = place.get(value) ?? 0;
    return direction === 'maximize' ? rank : 1 - rank;
  });
}

const cut = (name: string, most: number) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);

export function parallelOption(input: ParallelInput): EChartsOption {
  const { rows, dimensions, direction, name, format, best, tokens, isNarrow = false } = input;
  const measured = rows.map((row) => row.value).filter((value) => value !== null);
  const rank = ranks(
    rows.map((row) => row.value),
    direction,
  );
  const ordered = rows
    .map((row, index) => ({ row, rank: rank[index] ?? null }))
    .sort((a, b) => (a.rank ?? -1) - (b.rank ?? -1));
  const most = isNarrow ? 10 : Math.max(10, Math.floor(110 / (dimensions.length + 1)));
  const worst = tokens.isDark ? '#3d4257' : '#cfd3e0';
  return {
    parallel: {
      left: 48,
      right: 68,
      top: 34,
      bottom: 22,
      parallelAxisDefault: {
        axisLabel: { textBorderColor: tokens.surface, textBorderWidth: 3 },
        nameLocation: 'end',
        nameGap: 14,
        realtime: false,
        areaSelectStyle: { width: 18, color: tokens.accent, opacity: 0.25, borderColor: tokens.accent },
      },
    },
    parallelAxis: [
      ...dimensions.map((dimension, dim) =>
        dimension.kind === 'category'
          ? {
              dim,
              id: `axis-${dim}`,
              name: cut(dimension.name, most),
              type: 'category' as const,
              data: [...dimension.categories],
              boundaryGap: true,
              axisLabel: { formatter: (value: string) => cut(value, 12) },
            }
          : {
              dim,
              id: `axis-${dim}`,
              name: cut(dimension.name, most),
              ...(dimension.isLog
                ? { type: 'log' as const, logBase: dimension.logBase }
                : { type: 'value' as const }),
              scale: true,
            },
      ),
      {
        dim: dimensions.length,
        id: `axis-${dimensions.length}`,
        name: cut(name, Math.max(most, 16)),
        type: 'value' as const,
        scale: true,
        ...(measured.length === 0 ? { min: 0, max: 1 } : {}),
        nameTextStyle: { fontWeight: 'bold' as const },
        axisLabel: { formatter: format },
      },
    ],
    series: [
      {
        type: 'parallel',
        smooth: false,
        progressive: 500,
        inactiveOpacity: 0.06,
        activeOpacity: rows.length > 200 ? 0.4 : 0.95,
        lineStyle: { width: 1.25 },
        emphasis: { lineStyle: { width: 3, opacity: 1 } },
        data: ordered.map(({ row, rank: share }) => ({
          name: String(row.number),
          value: [
            ...dimensions.map((dimension) => cell(dimension, row.parameters)),
            row.value === null ? Number.NaN : row.value,
          ],
          lineStyle:
            row.number === best
              ? { color: tokens.good, width: 3, opacity: 1 }
              : row.state === 'failed'
                ? {
                    color: tokens.bad,
                    width: 1,
                    opacity: rows.length > 200 ? 0.25 : 0.55,
                    type: 'dotted' as const,
                  }
                : {
                    color: blend(worst, tokens.accent, share ?? 0),
                    opacity: rows.length > 200 ? 0.1 + 0.75 * (share ?? 0) ** 3 : 0.85,
                    ...(row.state === 'infeasible' ? { type: 'dashed' as const } : {}),
                  },
        })),
      },
    ],
  };
}

function cell(dimension: Dimension, parameters: Readonly<Record<string, unknown>>): number | string {
  if (!(dimension.name in parameters)) return Number.NaN;
  const value = parameters[dimension.name];
  if (dimension.kind === 'category') return setting(value);
  return asFinite(value) ?? Number.NaN;
}
