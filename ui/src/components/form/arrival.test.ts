import { describe, expect, it } from 'vitest';
import { readText, writeText } from '@/components/editor/text';
import {
  ARRIVAL_KINDS,
  arrivalKind,
  loadsOf,
  NOTHING_ASIDE,
  ratesOf,
  stagedSeconds,
  withArrivalKind,
  writtenRates,
} from './arrival';
import type { JsonObject } from './json';

const CLOSED: JsonObject = {
  traffic_scenarios: ['D(64,32)'],
  num_concurrency: [4, 16],
  max_requests_per_iteration: 64,
  max_time_per_iteration: 30,
};

describe('the kind of arrivals', () => {
  it('brings its own fields, and takes with it what a clock has another use for', () => {
    const { benchmark, aside } = withArrivalKind(CLOSED, 'poisson', NOTHING_ASIDE);
    expect(benchmark).toEqual({
      traffic_scenarios: ['D(64,32)'],
      max_time_per_iteration: 30,
      arrival: { type: 'poisson', rate: [4] },
    });
    const back = withArrivalKind(benchmark, 'closed', aside);
    expect(back.benchmark).toEqual(CLOSED);
  });

  it('keeps the rate from one clock to the next, and finds again what was typed', () => {
    const gamma = { arrival: { type: 'gamma', rate: 8, burstiness: 0.5 }, num_concurrency: [64] };
    const constant = withArrivalKind(gamma, 'constant', NOTHING_ASIDE);
    expect(constant.benchmark).toEqual({ arrival: { type: 'constant', rate: 8 }, num_concurrency: [64] });
    const stages = withArrivalKind(constant.benchmark, 'stages', constant.aside);
    expect(stages.benchmark.arrival).toMatchObject({ type: 'stages', stages: [{ seconds: 30 }, {}] });
    const again = withArrivalKind(stages.benchmark, 'gamma', stages.aside);
    expect(again.benchmark).toEqual(gamma);
  });

  it('leaves the time of a level to stages, and gives it back', () => {
    const stages = withArrivalKind(CLOSED, 'stages', NOTHING_ASIDE);
    expect(stages.benchmark).not.toHaveProperty('max_time_per_iteration');
    const constant = withArrivalKind(stages.benchmark, 'constant', stages.aside);
    expect(constant.benchmark.max_time_per_iteration).toBe(30);
  });

  it('keeps keys that no kind knows', () => {
    const odd = { ...CLOSED, arrival: { type: 'trace', trace: 'a', colour: 1 } };
    expect(withArrivalKind(odd, 'closed', NOTHING_ASIDE).benchmark.arrival).toEqual({
      colour: 1,
      type: 'closed',
    });
    expect(withArrivalKind(odd, 'trace', NOTHING_ASIDE).benchmark).toBe(odd);
  });

  it.each(ARRIVAL_KINDS)('%s comes back from text as it was', (kind) => {
    const { benchmark } = withArrivalKind(CLOSED, kind, NOTHING_ASIDE);
    expect(arrivalKind(benchmark.arrival)).toBe(kind);
    for (const format of ['yaml', 'json'] as const)
      expect(readText(writeText({ benchmark }, format), format).documents).toEqual([{ benchmark }]);
  });

  it('is a closed loop where nothing is said', () => {
    expect(arrivalKind(undefined)).toBe('closed');
    expect(arrivalKind({ type: 'tides' })).toBe('tides');
  });
});

describe('rates', () => {
  it('keep the spelling of the document', () => {
    expect(ratesOf(8)).toEqual([8]);
    expect(ratesOf(null)).toEqual([]);
    expect(writtenRates([9], 8)).toBe(9);
    expect(writtenRates([9], [8])).toEqual([9]);
    expect(writtenRates([8, 9], 8)).toEqual([8, 9]);
    expect(writtenRates([], 8)).toBeUndefined();
  });

  it('are levels, as concurrencies are, and stages are one', () => {
    expect(loadsOf(CLOSED)).toEqual([4, 16]);
    expect(loadsOf({})).toEqual([1]);
    expect(loadsOf({ num_concurrency: [64], arrival: { type: 'poisson', rate: [1, 2, 3] } })).toHaveLength(3);
    expect(loadsOf({ num_concurrency: [1, 2], arrival: { type: 'stages' } })).toHaveLength(1);
  });
});

it('stages last as long as all of them', () => {
  expect(stagedSeconds([{ seconds: 30 }, { seconds: 60.5 }])).toBe(90.5);
  expect(stagedSeconds([{ seconds: 30 }, { seconds: '' }])).toBeUndefined();
  expect(stagedSeconds([])).toBeUndefined();
});
