/** When requests start: a closed loop, or a clock of one kind or another, as a document says it. */
import { isObject, type Json, type JsonObject } from './json';

export const ARRIVAL_KINDS = ['closed', 'constant', 'poisson', 'gamma', 'stages', 'trace'] as const;
export type ArrivalKind = (typeof ARRIVAL_KINDS)[number];

/** What each kind says of itself. */
const OWN: Record<ArrivalKind, readonly string[]> = {
  closed: [],
  constant: ['rate'],
  poisson: ['rate'],
  gamma: ['rate', 'burstiness'],
  stages: ['stages'],
  trace: ['trace'],
};

/** What means another thing where requests start by a clock, and has another usual value. */
const LIMITS = ['num_concurrency', 'max_requests_per_iteration'] as const;

/** What a kind begins with where nothing was said before. */
const USUAL: JsonObject = {
  rate: [4],
  stages: [
    { rate: 2, seconds: 30 },
    { rate: 8, seconds: 30 },
  ],
};

/** What was put aside when another kind was chosen, for whoever comes back to it. */
export interface PutAside {
  arrival: JsonObject;
  closed: JsonObject;
  clock: JsonObject;
  /** The time for a level: stages have their own. */
  time: JsonObject;
}

export const NOTHING_ASIDE: PutAside = { arrival: {}, closed: {}, clock: {}, time: {} };

/** The kind that a document names, known or not; a closed loop where it says nothing. */
export function arrivalKind(arrival: Json | undefined): string {
  const kind = isObject(arrival) ? arrival.type : undefined;
  return typeof kind === 'string' ? kind : 'closed';
}

/** Whether requests start at rates that the kind names. */
export function hasRate(kind: string): boolean {
  return (OWN[kind as ArrivalKind] ?? []).includes('rate');
}

function split(object: JsonObject, keys: readonly string[]): [JsonObject, JsonObject] {
  const entries = Object.entries(object);
  return [
    Object.fromEntries(entries.filter(([key]) => keys.includes(key))),
    Object.fromEntries(entries.filter(([key]) => !keys.includes(key))),
  ];
}

/**
 * The benchmark with another kind of arrivals, and what is put aside by that. What the kind has no
 * use for goes; what no kind knows stays.
 */
export function withArrivalKind(
  benchmark: JsonObject,
  kind: ArrivalKind,
  aside: PutAside,
): { benchmark: JsonObject; aside: PutAside } {
  const arrival = isObject(benchmark.arrival) ? benchmark.arrival : {};
  const before = arrivalKind(arrival);
  if (before === kind) return { benchmark, aside };
  const [own, strange] = split(arrival, Object.values(OWN).flat());
  const known = { ...USUAL, ...aside.arrival, ...own };
  const next: JsonObject = { ...strange, type: kind };
  for (const key of OWN[kind]) if (known[key] !== undefined) next[key] = known[key];
  const isBare = kind === 'closed' && Object.keys(next).length === 1;

  let after = benchmark;
  const kept = { ...aside, arrival: { ...aside.arrival, ...own } };
  if ((before === 'closed') !== (kind === 'closed')) {
    const [limits, rest] = split(after, LIMITS);
    const [from, to] = kind === 'closed' ? (['clock', 'closed'] as const) : (['closed', 'clock'] as const);
    kept[from] = limits;
    after = { ...rest, ...aside[to] };
  }
  if (kind === 'stages') [kept.time, after] = split(after, ['max_time_per_iteration']);
  else if (before === 'stages') after = { ...aside.time, ...after };
  const [, without] = split(after, ['arrival']);
  return { benchmark: isBare ? without : { ...without, arrival: next }, aside: kept };
}

/** The rates of a document as a list, however it writes them. */
export function ratesOf(rate: Json | undefined): Json[] {
  if (rate === undefined || rate === null) return [];
  return Array.isArray(rate) ? rate : [rate];
}

/** Rates in the document's own spelling: one alone stays one. */
export function writtenRates(rates: Json[], before: Json | undefined): Json | undefined {
  const [first] = rates;
  if (first === undefined) return undefined;
  const wasAlone = before !== undefined && before !== null && !Array.isArray(before);
  return wasAlone && rates.length === 1 ? first : rates;
}

/** How long stages last together, in seconds; nothing while one of them says none. */
export function stagedSeconds(stages: Json | undefined): number | undefined {
  if (!Array.isArray(stages) || stages.length === 0) return undefined;
  let sum = 0;
  for (const stage of stages) {
    const seconds = isObject(stage) ? stage.seconds : undefined;
    if (typeof seconds !== 'number' || !(seconds > 0)) return undefined;
    sum += seconds;
  }
  return sum;
}

/** What each level of a scenario is under, as it is written in the document. */
export function loadsOf(benchmark: Json | undefined): Json[] {
  const of = isObject(benchmark) ? benchmark : {};
  const arrival = isObject(of.arrival) ? of.arrival : {};
  const kind = arrivalKind(arrival);
  if (hasRate(kind)) {
    const rates = ratesOf(arrival.rate);
    return rates.length > 0 ? rates : [1];
  }
  if (kind === 'stages' || kind === 'trace') return [kind];
  return Array.isArray(of.num_concurrency) ? of.num_concurrency : [1];
}
