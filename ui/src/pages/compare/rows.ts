/** The figures of some experiments side by side. */
import type { Experiment } from '@/api/queries/experiments';
import { metricOf } from '@/components/experiment/read';
import { METRICS, type Metric } from '@/lib/units';

export interface MetricRow {
  metric: Metric;
  values: readonly (number | null)[];
  /** Places of the best value; none where all that are known are equal. */
  best: readonly number[];
  /** By which share each is larger or smaller than the first; null for the first, and where one is unknown. */
  shares: readonly (number | null)[];
}

/** Places of the best among some values. */
export function bestPlaces(values: readonly (number | null)[], better: 'lower' | 'higher'): number[] {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return [];
  const best = better === 'lower' ? Math.min(...known) : Math.max(...known);
  const worst = better === 'lower' ? Math.max(...known) : Math.min(...known);
  if (best === worst) return [];
  return values.flatMap((value, place) => (value === best ? [place] : []));
}

/** Differences to the first, as shares of it. */
export function sharesToFirst(values: readonly (number | null)[]): (number | null)[] {
  const first = values[0] ?? null;
  return values.map((value, place) =>
    place === 0 || value === null || first === null || first === 0 ? null : value / first - 1,
  );
}

/** Every metric that at least one of them has. */
export function metricRows(experiments: readonly Experiment[]): MetricRow[] {
  return METRICS.flatMap((metric) => {
    // What was given up has figures of its first levels only.
    const values = experiments.map((each) =>
      each.failure_kind === 'early_aborted' ? null : metricOf(each, metric.key),
    );
    if (values.every((value) => value === null)) return [];
    return [{ metric, values, best: bestPlaces(values, metric.better), shares: sharesToFirst(values) }];
  });
}
