/**
 * What experiments say, read with care: metrics are a free object of the API, and experiments that
 * failed, run, or were listed in brief lack most of it.
 */
import type { Experiment } from '@/api/queries/experiments';
import { METRICS, type Metric, type MetricKind, objectiveKind } from '@/lib/units';
import { asFinite, asObject } from './free';
import { type Worth, worthOf } from './worth';

/** A metric over all levels. */
export function metricOf(experiment: Pick<Experiment, 'metrics'>, key: string): number | null {
  return asFinite(asObject(experiment.metrics)[key]);
}

/** How one quantity is distributed over the requests of a level. */
export interface Distribution {
  n: number | null;
  mean: number | null;
  min: number | null;
  max: number | null;
  p50: number | null;
  p90: number | null;
  p95: number | null;
  p99: number | null;
  /** Percentiles that rest on too few requests to be more than a hint. */
  lowN: readonly string[];
}

export const PERCENTILES = ['p50', 'p90', 'p95', 'p99'] as const;

/** One scenario under one load. */
export interface Level {
  scenario: string;
  /** Requests in flight at once; by a clock, the most that there were. */
  concurrency: number;
  /** What is drawn along: starts per second by a clock, else the concurrency. */
  load: number;
  duration: number | null;
  requests: number | null;
  completed: number | null;
  errors: number | null;
  cutOff: number | null;
  requestsPerSecond: number | null;
  goodput: number | null;
  attainment: number | null;
  outputThroughput: number | null;
  totalThroughput: number | null;
  errorCodes: readonly [string, number][];
  ttft: Distribution;
  tpot: Distribution;
  e2e: Distribution;
  worth: Worth;
}

function distribution(value: unknown): Distribution {
  const from = asObject(value);
  const at = (key: string) => asFinite(from[key]);
  return {
    n: at('n'),
    mean: at('mean'),
    min: at('min'),
    max: at('max'),
    p50: at('p50'),
    p90: at('p90'),
    p95: at('p95'),
    p99: at('p99'),
    lowN: PERCENTILES.filter((name) => from[`${name}_low_n`] === true),
  };
}

function level(value: unknown): Level {
  const from = asObject(value);
  const stats = asObject(from.stats);
  const at = (key: string) => asFinite(from[key]);
  const worth = worthOf(from);
  const concurrency = at('num_concurrency') ?? 0;
  // By a clock, waits count from the moment at which a request should have started.
  const scored = (key: string) => distribution(stats[`${key}_from_schedule`] ?? stats[key]);
  return {
    scenario: String(from.scenario ?? ''),
    concurrency,
    load: worth.schedule?.rate ?? concurrency,
    duration: at('run_duration'),
    requests: at('num_requests'),
    completed: at('num_completed_requests'),
    errors: at('num_error_requests'),
    cutOff: at('num_cut_off_requests'),
    requestsPerSecond: at('requests_per_second'),
    goodput: at('goodput_requests_per_second'),
    attainment: at('slo_attainment'),
    outputThroughput: at('mean_output_throughput_tokens_per_s'),
    totalThroughput: at('mean_total_tokens_throughput_tokens_per_s'),
    errorCodes: Object.entries(asObject(from.error_codes_frequency)).map(([code, count]) => [
      code,
      asFinite(count) ?? 0,
    ]),
    ttft: scored('ttft'),
    tpot: distribution(stats.tpot),
    e2e: scored('e2e_latency'),
    worth,
  };
}

/** Every level that was measured; none where the list was asked for in brief. */
export function levelsOf(experiment: Pick<Experiment, 'metrics'> | null | undefined): Level[] {
  const raw = asObject(experiment?.metrics).raw_results;
  return Array.isArray(raw) ? raw.map(level) : [];
}

/** In the order in which they were made. */
export function inOrder<Row extends Pick<Experiment, 'experiment_id'>>(rows: readonly Row[]): Row[] {
  return rows.toSorted((one, other) => one.experiment_id - other.experiment_id);
}

function configurationOf({ role, parameters }: Pick<Experiment, 'role' | 'parameters'>): string {
  return JSON.stringify([
    role,
    Object.entries(parameters).toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}

/**
 * Every attempt at the configuration of an experiment, in order. What was lost through no fault of its
 * own is made again, under a number of its own.
 */
export function attemptsOf(experiment: Experiment, rows: readonly Experiment[]): Experiment[] {
  const own = configurationOf(experiment);
  return inOrder(rows.filter((each) => configurationOf(each) === own));
}

export type Direction = 'minimize' | 'maximize';

/** What a task looks for. */
export interface Objective {
  name: string;
  direction: Direction;
  kind: MetricKind;
  /** The metric that it compares. */
  metric: string;
}

const OBJECTIVE_METRICS: Record<string, string> = {
  maximize_throughput: 'mean_total_throughput_per_gpu',
  minimize_latency: 'mean_e2e_latency',
  minimize_ttft: 'mean_ttft',
  minimize_tpot: 'mean_tpot',
};

/** The objective of an `optimization` section. */
export function objectiveOf(optimization: unknown): Objective {
  const name = String(asObject(optimization).objective ?? 'minimize_latency');
  return {
    name,
    direction: name.startsWith('maximize') ? 'maximize' : 'minimize',
    kind: objectiveKind(name),
    metric: OBJECTIVE_METRICS[name] ?? 'mean_e2e_latency',
  };
}

/** The metrics of all objectives, where an `optimization` section has several; otherwise none. */
export function objectiveMetrics(optimization: unknown): string[] {
  const { pareto } = asObject(optimization);
  const further = Array.isArray(pareto) ? pareto : pareto === undefined ? [] : [pareto];
  const metrics = further.map((name) => OBJECTIVE_METRICS[String(name)]).filter((key) => key !== undefined);
  return metrics.length === 0 ? [] : [objectiveOf(optimization).metric, ...metrics];
}

/** What an objective value is written in, where only the experiment is known. */
export function kindOfValue(experiment: Pick<Experiment, 'direction'>): MetricKind {
  return experiment.direction === 'maximize' ? 'tokens_per_second' : 'seconds';
}

/** By which share `value` is better than `reference`: positive is better, whatever the direction. */
export function gainOver(value: number, reference: number, direction: Direction): number | null {
  if (reference === 0 || (direction === 'minimize' && value === 0)) return null;
  return direction === 'maximize' ? value / reference - 1 : 1 - value / reference;
}

/** A metric of this key, known or not. */
export function metricInfo(key: string): Metric {
  return METRICS.find((metric) => metric.key === key) ?? { key, kind: 'count', better: 'higher' };
}

export interface SloBound {
  /** `ttft`, `latency.p99`: as violations name it. */
  name: string;
  /** The key of the metric that it bounds. */
  metric: string;
  /** The quantity, and what of it is bounded. */
  quantity: 'ttft' | 'tpot' | 'e2e';
  statistic: string;
  threshold: number;
}

const QUANTITIES = [
  ['latency', 'e2e', 'e2e_latency'],
  ['ttft', 'ttft', 'ttft'],
  ['tpot', 'tpot', 'tpot'],
] as const;

/** Every bound of an `slo` section. */
export function sloBounds(slo: unknown): SloBound[] {
  const out: SloBound[] = [];
  for (const [section, quantity, metric] of QUANTITIES) {
    const bounds = asObject(asObject(slo)[section]);
    const add = (statistic: string, threshold: unknown) => {
      const value = asFinite(threshold);
      if (value === null) return;
      const name = statistic === 'mean' ? section : `${section}.${statistic}`;
      out.push({ name, metric: `${statistic}_${metric}`, quantity, statistic, threshold: value });
    };
    add(typeof bounds.percentile === 'string' ? bounds.percentile : 'mean', bounds.threshold);
    for (const percentile of PERCENTILES) add(percentile, asObject(bounds[percentile]).threshold);
  }
  return out;
}

export type PointState = 'feasible' | 'infeasible' | 'failed' | 'running';

/** How an experiment stands in charts. */
export function pointState(
  experiment: Pick<Experiment, 'status' | 'feasible'> & Partial<Pick<Experiment, 'failure_kind'>>,
): PointState {
  // What was given up has neither failed nor been measured in full.
  if (experiment.failure_kind === 'early_aborted') return 'running';
  if (experiment.status === 'failed') return 'failed';
  if (experiment.status !== 'success') return 'running';
  return experiment.feasible === false ? 'infeasible' : 'feasible';
}

/** The message without the advice, which stands beside it. */
export function messageAlone(message: string | null | undefined, advice: string | null | undefined): string {
  const text = message ?? '';
  if (!advice || !text.endsWith(advice)) return text;
  return text.slice(0, -advice.length).replace(/[;,.\s]+$/, '');
}
