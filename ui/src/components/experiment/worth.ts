/**
 * What figures are worth: intervals, evenness, what the load generator had to do with them, and what
 * the engine says itself. Older results say none of it.
 */
import type { Experiment } from '@/api/queries/experiments';
import { duration, number } from '@/lib/format';
import type { MetricKind } from '@/lib/units';
import { asFinite, asObject } from './free';

/** Where a figure lies, 95 times of 100: from the one to the other. */
export type Interval = readonly [number, number];
export type Intervals = Readonly<Record<string, Interval>>;

/** How a level moved from its beginning to its end, as ratios. */
export interface Steadiness {
  isSteady: boolean;
  throughputDrift: number | null;
  ttftDrift: number | null;
}

/** What the load generator had to do with a level. */
export interface Trust {
  askedConcurrency: number | null;
  achievedConcurrency: number | null;
  askedRate: number | null;
  achievedRate: number | null;
  isClientLimited: boolean;
  reasons: readonly string[];
  /** Its own error as a share of each metric, by the metric's key. */
  errors: Readonly<Record<string, number>>;
}

/** A figure of the engine's own beside what was measured. */
export interface EngineFigure {
  key: string;
  kind: MetricKind;
  said: number;
  /** What was measured, less that. */
  difference: number;
}

/** A level's window, slice by slice. */
export interface TimeSeries {
  slice: number;
  outputTokens: readonly (number | null)[];
  completed: readonly (number | null)[];
  failed: readonly (number | null)[];
  inFlight: readonly (number | null)[];
  ttft: readonly (number | null)[];
}

/** How requests started by a clock. */
export interface Schedule {
  label: string;
  rate: number | null;
  /** Starts that waited because as many requests as may be were in flight. */
  heldBack: number;
  /** By how much starts were late, 99 of 100 at most, seconds. */
  lagP99: number | null;
}

export interface Worth {
  intervals: Intervals;
  schedule: Schedule | null;
  steadiness: Steadiness | null;
  trust: Trust | null;
  engine: readonly EngineFigure[];
  series: TimeSeries | null;
}

export function intervalsOf(confidence: unknown): Intervals {
  const out: Record<string, Interval> = {};
  for (const [key, ends] of Object.entries(asObject(confidence))) {
    if (!Array.isArray(ends)) continue;
    const [low, high] = [asFinite(ends[0]), asFinite(ends[1])];
    if (low !== null && high !== null) out[key] = [low, high];
  }
  return out;
}

function isGiven(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function steadinessOf(value: unknown): Steadiness | null {
  if (!isGiven(value)) return null;
  const from = asObject(value);
  return {
    isSteady: from.is_steady !== false,
    throughputDrift: asFinite(from.throughput_drift),
    ttftDrift: asFinite(from.ttft_drift),
  };
}

function trustOf(value: unknown): Trust | null {
  if (!isGiven(value)) return null;
  const from = asObject(value);
  const errors = Object.entries(asObject(from.client_error)).flatMap(([key, share]) => {
    const known = asFinite(share);
    return known === null ? [] : [[key, known] as const];
  });
  return {
    askedConcurrency: asFinite(from.asked_concurrency),
    achievedConcurrency: asFinite(from.achieved_concurrency),
    askedRate: asFinite(from.asked_rate),
    achievedRate: asFinite(from.achieved_rate),
    isClientLimited: from.is_client_limited === true,
    reasons: Array.isArray(from.reasons) ? from.reasons.map(String) : [],
    errors: Object.fromEntries(errors),
  };
}

const ENGINE_FIGURES: readonly (readonly [string, MetricKind])[] = [
  ['mean_ttft', 'seconds'],
  ['mean_tpot', 'seconds'],
  ['mean_e2e_latency', 'seconds'],
  ['output_tokens', 'count'],
  ['requests', 'count'],
];

function engineOf(value: unknown): EngineFigure[] {
  const from = asObject(value);
  return ENGINE_FIGURES.flatMap(([key, kind]) => {
    const [said, difference] = [asFinite(from[key]), asFinite(from[`${key}_difference`])];
    return said === null || difference === null ? [] : [{ key, kind, said, difference }];
  });
}

function seriesOf(value: unknown): TimeSeries | null {
  const from = asObject(value);
  const slice = asFinite(from.slice_seconds);
  const list = (key: string) => {
    const values = from[key];
    return Array.isArray(values) ? values.map(asFinite) : [];
  };
  const outputTokens = list('output_tokens_per_s');
  if (slice === null || outputTokens.length === 0) return null;
  return {
    slice,
    outputTokens,
    completed: list('requests_completed'),
    failed: list('requests_failed'),
    inFlight: list('requests_in_flight'),
    ttft: list('mean_ttft'),
  };
}

function scheduleOf(level: Readonly<Record<string, unknown>>): Schedule | null {
  if (!isGiven(level.schedule)) return null;
  const from = asObject(level.schedule);
  return {
    label: String(from.label ?? ''),
    rate: asFinite(from.rate),
    heldBack: asFinite(from.held_back) ?? 0,
    lagP99: asFinite(asObject(asObject(level.stats).schedule_lag).p99),
  };
}

/** What a level's figures are worth. */
export function worthOf(level: Readonly<Record<string, unknown>>): Worth {
  return {
    intervals: intervalsOf(level.confidence),
    schedule: scheduleOf(level),
    steadiness: steadinessOf(level.steady),
    trust: trustOf(level.trust),
    engine: engineOf(level.engine_metrics),
    series: seriesOf(level.time_series),
  };
}

/** Metrics over the levels whose interval stands under another name. */
const OTHER_NAMES: Record<string, string> = { mean_goodput: 'goodput_requests_per_second' };

/** The interval of a metric over all levels; nothing where it is not known. */
export function intervalOf(experiment: Pick<Experiment, 'metrics'>, key: string): Interval | null {
  const metrics = asObject(experiment.metrics);
  const whole = key.replace(/_per_gpu$/, '');
  const found = intervalsOf(metrics.confidence)[OTHER_NAMES[whole] ?? whole];
  if (!found) return null;
  const gpus = whole === key ? 1 : Math.max(1, asFinite(metrics.gpus) ?? 1);
  return [found[0] / gpus, found[1] / gpus];
}

const SCORED: Record<string, readonly string[]> = {
  maximize: ['mean_total_throughput_per_gpu'],
  minimize: ['mean_e2e_latency', 'mean_ttft', 'mean_tpot'],
};

/** The metric that is an experiment's objective value: the one that has this value. */
export function scoredMetric(
  experiment: Pick<Experiment, 'metrics' | 'direction' | 'objective_value'>,
): string | null {
  const { objective_value: value, direction, metrics } = experiment;
  if (value === null || value === undefined) return null;
  const of = asObject(metrics);
  return (SCORED[direction ?? ''] ?? []).find((key) => of[key] === value) ?? null;
}

/** The interval of an experiment's objective value. */
export function scoredInterval(
  experiment: Pick<Experiment, 'metrics' | 'direction' | 'objective_value'>,
): Interval | null {
  const metric = scoredMetric(experiment);
  return metric === null ? null : intervalOf(experiment, metric);
}

/** `788–802`, with the unit of times: `11.1–11.8ms`. */
export function intervalText(kind: MetricKind, [low, high]: Interval): string {
  if (kind !== 'seconds') return `${number(low)}–${number(high)}`;
  const [from, to] = [duration(low), duration(high)];
  const unit = (text: string) => /^[\d.,]+(\D+)$/.exec(text)?.[1];
  return unit(from) !== undefined && unit(from) === unit(to)
    ? `${from.slice(0, -(unit(from)?.length ?? 0))}–${to}`
    : `${from} – ${to}`;
}

/** By which share of itself a value may be off, at most, by its interval. */
export function halfWidth(value: number | null | undefined, interval: Interval | null): number | null {
  if (!interval || !value) return null;
  return Math.max(value - interval[0], interval[1] - value, 0) / Math.abs(value);
}

/** Whether two figures may be the same, as far as their intervals tell. */
export function doOverlap(one: Interval | null, other: Interval | null): boolean {
  return one !== null && other !== null && one[0] <= other[1] && other[0] <= one[1];
}
