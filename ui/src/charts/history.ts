/** What a search has found, experiment by experiment, and the best of it so far. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import type { PointState } from '@/components/experiment/read';
import type { TableAlternative } from './ChartTable';
import { tip } from './tip';
import { type Tokens, withAlpha } from './tokens';

export interface HistoryPoint {
  number: number;
  value: number | null;
  /** What it is ranked by; smaller is better, whatever the objective. */
  score: number | null;
  state: PointState;
  role: string;
  /** What the point is called besides its number, such as its parameters. */
  note?: string;
}

/**
 * The best feasible value after each experiment, as steps. What misses an SLO, failed or runs is never
 * the best. The last step reaches the newest experiment.
 */
export function bestSoFar(points: readonly HistoryPoint[]): [number, number][] {
  const steps: [number, number][] = [];
  let best: { score: number; value: number } | null = null;
  for (const { number, value, score, state } of points) {
    if (value === null || score === null || state !== 'feasible') continue;
    if (best === null || score < best.score) {
      best = { score, value };
      steps.push([number, value]);
    }
  }
  const last = points.at(-1);
  if (best !== null && last && steps.at(-1)?.[0] !== last.number) steps.push([last.number, best.value]);
  return steps;
}

export const CROSS = 'path://M-1,-1L1,1M-1,1L1,-1';
export const STAR =
  'path://M0,-10L2.9,-3.2L10,-3.1L4.5,1.6L6.2,8.8L0,4.8L-6.2,8.8L-4.5,1.6L-10,-3.1L-2.9,-3.2Z';

export interface HistoryInput {
  points: readonly HistoryPoint[];
  /** Name of what is on the vertical axis. */
  name: string;
  format: (value: number) => string;
  baseline: number | null;
  best: number | null;
  tokens: Tokens;
  t: TFunction;
}

export function historyOption(input: HistoryInput): EChartsOption {
  const { points, name, format, baseline, best, tokens, t } = input;
  const byNumber = new Map(points.map((point) => [point.number, point]));
  const dots = (wanted: (point: HistoryPoint) => boolean) =>
    points
      .filter((point) => point.value !== null && wanted(point))
      .map((point) => [point.number, point.value as number]);
  const failed = points.filter((point) => point.state === 'failed').map((point) => [point.number, 0]);
  const has = (state: PointState) => points.some((point) => point.state === state);
  const legend = [
    ...(['feasible', 'infeasible', 'failed'] as const)
      .filter(has)
      .map((state) => t(`results.point.${state}`)),
    ...(has('feasible') ? [t('results.bestSoFar')] : []),
    ...(best === null ? [] : [t('results.best')]),
  ];
  const bestPoint = best === null ? undefined : byNumber.get(best);
  const tipOf = (at: number) => {
    const point = byNumber.get(at);
    if (!point) return '';
    const rows = [{ name: t('experiments.column.status'), value: t(`results.point.${point.state}`) }];
    if (point.value !== null) rows.unshift({ name, value: format(point.value) });
    if (point.role !== 'search')
      rows.push({ name: t('experiments.column.role'), value: t(`experiments.role.${point.role}`) });
    return tip(t('experiments.title', { number: at }), rows, point.note);
  };
  return {
    grid: {
      left: 8,
      right: 16,
      top: 34,
      bottom: 8,
      outerBoundsMode: 'same',
      outerBoundsContain: 'axisLabel',
    },
    legend: { top: 0, left: 0, type: 'scroll', data: legend },
    tooltip: {
      trigger: 'item',
      formatter: (params) => {
        const one = Array.isArray(params) ? params[0] : params;
        const data = one?.data as { value?: unknown } | unknown[] | undefined;
        const value = Array.isArray(data) ? data : (data?.value as unknown[] | undefined);
        return tipOf(Number(value?.[0] ?? 0));
      },
    },
    xAxis: {
      type: 'value',
      min: Math.min(...points.map((point) => point.number), 1) - 0.5,
      max: Math.max(...points.map((point) => point.number), 1) + 0.5,
      minInterval: 1,
      splitLine: { show: false },
      axisLabel: { formatter: (value: number) => (Number.isInteger(value) ? String(value) : '') },
    },
    yAxis: [
      { type: 'value', scale: true, axisLabel: { formatter: format }, axisLine: { show: false } },
      { type: 'value', min: 0, max: 1, show: false },
    ],
    dataZoom: points.length > 60 ? [{ type: 'inside', xAxisIndex: 0, filterMode: 'none' }] : [],
    series: [
      {
        name: t('results.point.feasible'),
        type: 'scatter',
        data: dots((point) => point.state === 'feasible'),
        symbolSize: points.length > 300 ? 5 : 8,
        itemStyle: { color: withAlpha(tokens.accent, 0.75) },
        z: 3,
        ...(baseline === null
          ? {}
          : {
              markLine: {
                symbol: 'none',
                silent: true,
                animation: false,
                lineStyle: { color: tokens['line-strong'], type: 'dashed', width: 1 },
                label: {
                  formatter: `${t('results.baseline')} ${format(baseline)}`,
                  position: 'insideEndTop',
                  color: tokens.muted,
                  backgroundColor: withAlpha(tokens.surface, 0.8),
                  padding: [1, 3],
                  fontSize: 11,
                },
                data: [{ yAxis: baseline }],
              },
            }),
      },
      {
        name: t('results.point.infeasible'),
        type: 'scatter',
        data: dots((point) => point.state === 'infeasible'),
        symbol: 'diamond',
        symbolSize: points.length > 300 ? 6 : 9,
        itemStyle: { color: withAlpha(tokens.warn, 0.15), borderColor: tokens.warn, borderWidth: 1.5 },
        z: 3,
      },
      {
        name: t('results.point.failed'),
        type: 'scatter',
        yAxisIndex: 1,
        data: failed,
        symbol: CROSS,
        symbolSize: 7,
        symbolOffset: [0, -8],
        itemStyle: { color: 'transparent', borderColor: tokens.bad, borderWidth: 1.5 },
        z: 3,
      },
      {
        name: t('results.bestSoFar'),
        type: 'line',
        step: 'end',
        data: bestSoFar(points),
        showSymbol: false,
        lineStyle: { color: tokens.good, width: 2 },
        itemStyle: { color: tokens.good },
        silent: true,
        z: 2,
      },
      {
        name: t('results.best'),
        type: 'scatter',
        data: bestPoint && bestPoint.value !== null ? [[bestPoint.number, bestPoint.value]] : [],
        symbol: STAR,
        symbolSize: 18,
        itemStyle: { color: tokens.good, borderColor: tokens.surface, borderWidth: 1.5 },
        z: 5,
      },
    ],
  };
}

export function historyTable({ points, name, format, t }: HistoryInput): TableAlternative {
  const steps = new Map(bestSoFar(points));
  let best: number | undefined;
  return {
    columns: [t('experiments.column.number'), t('experiments.column.status'), name, t('results.bestSoFar')],
    rows: points.map(({ number, value, state }) => {
      best = steps.get(number) ?? best;
      return [
        number,
        t(`results.point.${state}`),
        value === null ? null : format(value),
        best === undefined ? null : format(best),
      ];
    }),
  };
}
