/** What one metric costs in another: every experiment, and those that no other one beats in both. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import type { PointState } from '@/components/experiment/read';
import type { TableAlternative } from './ChartTable';
import { STAR } from './history';
import { tip } from './tip';
import { type Tokens, withAlpha } from './tokens';

type Better = 'lower' | 'higher';

/** Those that no other beats in one measure without losing in the other, in the order of `x`. */
export function frontier<Point extends { x: number; y: number }>(
  points: readonly Point[],
  xBetter: Better,
  yBetter: Better,
): Point[] {
  const sign = (better: Better) => (better === 'lower' ? 1 : -1);
  const [sx, sy] = [sign(xBetter), sign(yBetter)];
  const sorted = points.toSorted((a, b) => sx * (a.x - b.x) || sy * (a.y - b.y));
  const out: Point[] = [];
  let best = Number.POSITIVE_INFINITY;
  for (const point of sorted) {
    if (sy * point.y >= best) continue;
    best = sy * point.y;
    out.push(point);
  }
  return out.sort((a, b) => a.x - b.x);
}

export interface ParetoPoint {
  number: number;
  x: number;
  y: number;
  state: PointState;
  role: string;
  note?: string;
}

export interface ParetoAxis {
  name: string;
  better: Better;
  format: (value: number) => string;
  /** Bounds on this metric that a good configuration keeps. */
  bounds: readonly number[];
}

export interface ParetoInput {
  points: readonly ParetoPoint[];
  x: ParetoAxis;
  y: ParetoAxis;
  best: number | null;
  tokens: Tokens;
  t: TFunction;
}

export function paretoOption({ points, x, y, best, tokens, t }: ParetoInput): EChartsOption {
  const feasible = points.filter((point) => point.state === 'feasible');
  const front = frontier(feasible, x.better, y.better);
  const onFront = new Set(front.map((point) => point.number));
  const as = (some: readonly ParetoPoint[]) => some.map((point) => [point.x, point.y, point.number]);
  const bestPoint = points.find((point) => point.number === best);
  const baseline = points.filter((point) => point.role === 'baseline' && point.number !== best);
  const byNumber = new Map(points.map((point) => [point.number, point]));
  const legend = [
    ...(feasible.length > front.length ? [t('results.point.feasible')] : []),
    ...(feasible.length < points.length ? [t('results.point.infeasible')] : []),
    ...(front.length > 0 ? [t('results.pareto.frontier')] : []),
    ...(baseline.length > 0 ? [t('results.baseline')] : []),
    ...(bestPoint ? [t('results.best')] : []),
  ];
  const size = points.length > 300 ? 6 : 9;
  const bound = (axis: ParetoAxis) => ({
    formatter: `SLO ${axis.bounds.map(axis.format).join(', ')}`,
    color: tokens.warn,
    fontSize: 11,
  });
  const bounds = {
    symbol: 'none',
    silent: true,
    animation: false,
    lineStyle: { color: tokens.warn, type: 'dashed' as const, width: 1.25 },
    data: [
      ...x.bounds.map((value) => ({
        xAxis: value,
        label: { ...bound(x), position: 'insideEndBottom' as const },
      })),
      ...y.bounds.map((value) => ({
        yAxis: value,
        label: { ...bound(y), position: 'insideEndTop' as const },
      })),
    ],
  };
  const axis = (of: ParetoAxis) => ({
    type: 'value' as const,
    scale: true,
    axisLabel: { formatter: of.format },
    axisLine: { show: false },
  });
  return {
    grid: {
      left: 8,
      right: 24,
      top: 34,
      bottom: 26,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    legend: { top: 0, left: 0, type: 'scroll', data: legend },
    tooltip: {
      trigger: 'item',
      formatter: (params) => {
        const one = Array.isArray(params) ? params[0] : params;
        const point = byNumber.get(Number((one?.data as unknown[] | undefined)?.[2]));
        if (!point) return '';
        return tip(
          t('experiments.title', { number: point.number }),
          [
            { name: y.name, value: y.format(point.y) },
            { name: x.name, value: x.format(point.x) },
            {
              name: t('experiments.column.status'),
              value: [
                t(`results.point.${point.state}`),
                ...(onFront.has(point.number) ? [t('results.pareto.onFrontier')] : []),
              ].join(', '),
            },
          ],
          point.note,
        );
      },
    },
    xAxis: { ...axis(x), name: x.name, nameLocation: 'middle', nameGap: 8 },
    yAxis: axis(y),
    dataZoom: [],
    series: [
      {
        name: t('results.point.feasible'),
        type: 'scatter',
        data: as(feasible.filter((point) => !onFront.has(point.number))),
        symbolSize: size,
        itemStyle: { color: withAlpha(tokens.accent, 0.5) },
        markLine: bounds,
        z: 3,
      },
      {
        name: t('results.point.infeasible'),
        type: 'scatter',
        data: as(points.filter((point) => point.state === 'infeasible')),
        symbol: 'diamond',
        symbolSize: size + 1,
        itemStyle: { color: withAlpha(tokens.warn, 0.15), borderColor: tokens.warn, borderWidth: 1.5 },
        z: 3,
      },
      {
        name: t('results.pareto.frontier'),
        type: 'line',
        data: as(front),
        symbol: 'circle',
        symbolSize: size + 1,
        lineStyle: { color: tokens.accent, width: 1.5 },
        itemStyle: { color: tokens.accent, borderColor: tokens.surface, borderWidth: 1 },
        z: 4,
      },
      {
        name: t('results.baseline'),
        type: 'scatter',
        data: as(baseline),
        symbol: 'rect',
        symbolSize: size + 3,
        itemStyle: { color: tokens.muted, borderColor: tokens.surface, borderWidth: 1.5 },
        z: 5,
      },
      {
        name: t('results.best'),
        type: 'scatter',
        data: bestPoint ? as([bestPoint]) : [],
        symbol: STAR,
        symbolSize: 20,
        itemStyle: { color: tokens.good, borderColor: tokens.surface, borderWidth: 1.5 },
        z: 6,
      },
    ],
  };
}

export function paretoTable({ points, x, y, t }: ParetoInput): TableAlternative {
  const front = new Set(
    frontier(
      points.filter((point) => point.state === 'feasible'),
      x.better,
      y.better,
    ).map((point) => point.number),
  );
  return {
    columns: [
      t('experiments.column.number'),
      y.name,
      x.name,
      t('experiments.column.feasible'),
      t('results.pareto.frontier'),
    ],
    rows: points.map((point) => [
      point.number,
      y.format(point.y),
      x.format(point.x),
      t(`results.point.${point.state}`),
      front.has(point.number) ? t('results.yes') : '',
    ]),
  };
}
