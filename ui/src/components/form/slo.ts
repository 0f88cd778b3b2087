/** Bounds of the service level: each a metric, a statistic and what it must not pass. */
import { at, isObject, type Json, type Path } from './json';

export const SLO_METRICS = ['latency', 'ttft', 'tpot'] as const;
export type SloMetric = (typeof SLO_METRICS)[number];
export const PERCENTILES = ['p50', 'p90', 'p95', 'p99'] as const;
export type Statistic = 'mean' | (typeof PERCENTILES)[number];

export interface SloRow {
  metric: SloMetric;
  statistic: Statistic;
  /** Where its bound stands below `slo`. */
  path: Path;
  bound: Json;
}

const OF_BOUND = ['threshold', 'weight', 'hard_fail', 'fail_ratio'];

/** Whether a bound stands beside the percentiles: on the mean, or by `percentile` on one of them. */
function isDirect(value: Json | undefined): boolean {
  return isObject(value) && OF_BOUND.some((key) => key in value);
}

/** The bounds that a document sets. */
export function sloRows(slo: Json | undefined): SloRow[] {
  const rows: SloRow[] = [];
  for (const metric of SLO_METRICS) {
    const of = at(slo, [metric]);
    if (metric !== 'latency' && isDirect(of)) {
      const short = PERCENTILES.find((percentile) => percentile === at(of, ['percentile']));
      rows.push({ metric, statistic: short ?? 'mean', path: [metric], bound: of as Json });
    }
    for (const statistic of PERCENTILES) {
      const bound = at(of, [statistic]);
      if (isObject(bound)) rows.push({ metric, statistic, path: [metric, statistic], bound });
    }
  }
  return rows;
}

/** Where a new bound would stand. */
export function sloPath(metric: SloMetric, statistic: Statistic): Path {
  return statistic === 'mean' ? [metric] : [metric, statistic];
}

/** Bounds that a document does not set yet. */
export function freeBounds(slo: Json | undefined): { metric: SloMetric; statistic: Statistic }[] {
  const rows = sloRows(slo);
  const all: Statistic[] = ['mean', ...PERCENTILES];
  return SLO_METRICS.flatMap((metric) =>
    all
      // A short form on a percentile stands where the mean's bound would: that one would change it.
      .filter((statistic) => statistic !== 'mean' || (metric !== 'latency' && !isDirect(at(slo, [metric]))))
      .filter((statistic) => !rows.some((row) => row.metric === metric && row.statistic === statistic))
      .map((statistic) => ({ metric, statistic })),
  );
}

/** What is usual to begin with, in seconds. */
export function usualBound(metric: SloMetric): number {
  return { latency: 5, ttft: 0.5, tpot: 0.05 }[metric];
}

/** The keys of a bound alone, without the percentiles that stand beside it. */
export function boundKeys(): readonly string[] {
  return [...OF_BOUND, 'percentile'];
}
