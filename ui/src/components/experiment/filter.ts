/** Which experiments of a run are listed, and in which order. */
import type { Experiment } from '@/api/queries/experiments';
import { setting } from '@/lib/format';
import { asFinite } from './free';
import { metricOf, pointState } from './read';

/** What the status filter offers. */
export const STATES = ['feasible', 'infeasible', 'failed', 'running'] as const;
export type State = (typeof STATES)[number];

export interface ExperimentFilter {
  /** Words that all have to be in the number, the parameters, the error or the reason. */
  q?: string | undefined;
  state?: string | undefined;
  role?: string | undefined;
  failure?: string | undefined;
  /** Numbers inside the run that are kept, where not all are. */
  only?: ReadonlySet<number> | undefined;
}

/** What a search looks in. */
export function haystack(experiment: Experiment): string {
  const parameters = Object.entries(experiment.parameters)
    .map(([name, value]) => `${name}=${setting(value)}`)
    .join(' ');
  return `#${experiment.experiment_id} ${parameters} ${experiment.error_message ?? ''} ${experiment.reason}`.toLowerCase();
}

/** How it failed; what another program has measured does not say. */
export function failureOf({ status, failure_kind }: Experiment): string | null {
  return status === 'failed' ? (failure_kind ?? 'unknown') : null;
}

export function filterExperiments(rows: readonly Experiment[], filter: ExperimentFilter): Experiment[] {
  const words = (filter.q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(
    (row) =>
      (!filter.state || pointState(row) === filter.state) &&
      (!filter.role || row.role === filter.role) &&
      (!filter.failure || failureOf(row) === filter.failure) &&
      (!filter.only || filter.only.has(row.experiment_id)) &&
      (words.length === 0 || words.every((word) => haystack(row).includes(word))),
  );
}

export type Order = 'asc' | 'desc';

const TIERS: Record<ReturnType<typeof pointState>, number> = {
  feasible: 0,
  infeasible: 1,
  running: 2,
  failed: 3,
};

/**
 * Best first, as the service ranks: what meets every SLO, then what misses one, each by its score; then
 * what runs, and what failed.
 */
export function byRank(): (a: Experiment, b: Experiment) => number {
  return (a, b) => {
    const [tierA, tierB] = [TIERS[pointState(a)], TIERS[pointState(b)]];
    if (tierA !== tierB) return tierA - tierB;
    // A score is smaller where it is better, whatever the objective.
    const [scoreA, scoreB] = [a.objective_score ?? null, b.objective_score ?? null];
    if (scoreA !== null && scoreB !== null && scoreA !== scoreB) return scoreA - scoreB;
    return a.experiment_id - b.experiment_id;
  };
}

/** What a column is sorted by; absent values come last in both orders. */
function sortValue(row: Experiment, key: string): number | string | null {
  if (key.startsWith('param.')) {
    const value = row.parameters[key.slice(6)];
    return value === undefined ? null : (asFinite(value) ?? setting(value));
  }
  if (key.startsWith('metric.')) return metricOf(row, key.slice(7));
  switch (key) {
    case 'status':
      return TIERS[pointState(row)];
    case 'objective':
      return row.objective_value ?? null;
    case 'elapsed':
      return row.elapsed_time ?? null;
    case 'started':
      return row.started_at ?? null;
    default:
      return row.experiment_id;
  }
}

export function sortExperiments(rows: readonly Experiment[], key: string, order: Order): Experiment[] {
  if (key === 'rank') {
    const sorted = rows.toSorted(byRank());
    return order === 'desc' ? sorted.reverse() : sorted;
  }
  const sign = order === 'desc' ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [sortValue(a, key), sortValue(b, key)];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    const compared =
      typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y));
    return compared === 0 ? a.experiment_id - b.experiment_id : sign * compared;
  });
}

/** Most that can be compared side by side. */
export const MOST_COMPARED = 6;

/** `1,5,9` as ids, each once. */
export function idsOfText(text: string | undefined): number[] {
  const ids = (text ?? '').split(',').map((part) => Number(part.trim()));
  return [...new Set(ids.filter((id) => Number.isInteger(id) && id > 0))];
}

/** With this id added, or taken away; no more than can be compared. */
export function toggled(ids: readonly number[], id: number): number[] {
  if (ids.includes(id)) return ids.filter((each) => each !== id);
  return ids.length >= MOST_COMPARED ? [...ids] : [...ids, id];
}
