import { describe, expect, it } from 'vitest';
import type { Experiment } from '@/api/queries/experiments';
import { experimentOf, failed, worth } from '@/test/experiments';
import completed from '@/test/fixtures/experiments-completed.json';
import { filterExperiments, idsOfText, sortExperiments, toggled } from './filter';
import { phasesOf } from './PhaseBar';
import { differences, dimension, parametersAsText, varyingParameters } from './parameters';
import { attemptsOf, gainOver, messageAlone, objectiveOf, sloBounds } from './read';

const rows = completed as unknown as Experiment[];
const numbers = (some: readonly Experiment[]) => some.map((each) => each.experiment_id);

describe('what varies', () => {
  it('is what takes more than one value, the baseline apart', () => {
    expect(varyingParameters(rows)).toEqual(['max-num-seqs', 'gpu-memory-utilization']);
  });

  it('is also what only some configurations set', () => {
    const some = [experimentOf(1, { parameters: { a: 1, b: 1 } }), experimentOf(2, { parameters: { a: 1 } })];
    expect(varyingParameters(some)).toEqual(['b']);
  });

  it('is everything while there is but one configuration', () => {
    expect(
      varyingParameters([experimentOf(1, { parameters: {} }), experimentOf(2, { parameters: { a: 1 } })]),
    ).toEqual(['a']);
  });
});

describe('differences of parameters', () => {
  it('tell values apart by type, and absent from null', () => {
    const found = differences([
      { a: 1, b: '1', c: null, d: [1, 2] },
      { a: 1, b: 1, d: [1, 2] },
    ]);
    expect(found.map(({ name, isDifferent }) => [name, isDifferent])).toEqual([
      ['a', false],
      ['b', true],
      ['c', true],
      ['d', false],
    ]);
    expect(found[2]?.values).toEqual([null, undefined]);
  });

  it('can be pasted', () => {
    expect(parametersAsText({ 'tp-size': 2, eager: true, mode: null })).toBe('tp-size=2 eager=true mode=–');
  });
});

describe('dimensions', () => {
  it('know lists, ranges, switches and what was drawn from a preset', () => {
    expect(dimension('a', { a: [32, 8] }, [8])).toMatchObject({ kind: 'category', categories: ['8', '32'] });
    expect(dimension('a', { a: { type: 'continuous', low: 0, high: 1 } }, [0.5])).toMatchObject({
      kind: 'number',
      isLog: false,
    });
    expect(dimension('a', { a: { type: 'integer', low: 1, high: 64, log: true } }, [1, 64])).toMatchObject({
      isLog: true,
      logBase: 2,
    });
    expect(dimension('a', { a: { type: 'boolean' } }, [true])).toMatchObject({
      categories: ['false', 'true'],
    });
    expect(dimension('a', {}, ['fp8', null])).toMatchObject({ categories: ['fp8', '–'] });
  });
});

describe('filters of the table', () => {
  it('search in parameters, with all words', () => {
    expect(numbers(filterExperiments(rows, { q: 'seqs=32' }))).toEqual([6, 8, 9]);
    expect(numbers(filterExperiments(rows, { q: 'seqs=32 0.95' }))).toEqual([6]);
    expect(numbers(filterExperiments(rows, { q: '#4' }))).toEqual([4]);
  });

  it('keep a state, a role, a failure, and what a chart keeps', () => {
    expect(numbers(filterExperiments(rows, { state: 'feasible' }))).toEqual([1, 2, 5]);
    expect(numbers(filterExperiments(rows, { state: 'infeasible' }))).toEqual([4]);
    expect(numbers(filterExperiments(rows, { role: 'baseline' }))).toEqual([1]);
    expect(numbers(filterExperiments(rows, { failure: 'out_of_memory' }))).toEqual([3]);
    expect(numbers(filterExperiments(rows, { only: new Set([5, 6]), state: 'failed' }))).toEqual([6]);
  });

  it('rank as the service does: feasible, infeasible, running, failed', () => {
    const some = [
      failed(1, 'cancelled'),
      worth(2, 10),
      worth(3, 90, { feasible: false }),
      experimentOf(4, { status: 'benchmarking', feasible: null, objective_score: null }),
      worth(5, 20),
    ];
    expect(numbers(sortExperiments(some, 'rank', 'asc'))).toEqual([5, 2, 3, 4, 1]);
  });

  it('sort by numbers as numbers, and put what has none last in both orders', () => {
    const some = [
      experimentOf(1, { parameters: {} }),
      experimentOf(2, { parameters: { n: 9 } }),
      experimentOf(3, { parameters: { n: 10 } }),
    ];
    expect(numbers(sortExperiments(some, 'param.n', 'asc'))).toEqual([2, 3, 1]);
    expect(numbers(sortExperiments(some, 'param.n', 'desc'))).toEqual([3, 2, 1]);
  });

  it('choose up to six', () => {
    expect(idsOfText('1,5,,x,5,-2')).toEqual([1, 5]);
    expect(toggled([1, 2], 2)).toEqual([1]);
    expect(toggled([1, 2, 3, 4, 5, 6], 7)).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('what is read', () => {
  it('finds the attempts at one configuration, whatever their numbers', () => {
    const some = [
      experimentOf(4, { attempt: 2, parameters: { b: 1, a: 'x' } }),
      experimentOf(2, { attempt: 1, parameters: { a: 'x', b: 1 } }),
      experimentOf(3, { parameters: { a: 'x', b: 2 } }),
      experimentOf(5, { role: 'replicate', parameters: { a: 'x', b: 1 } }),
    ];
    const numbers = (of: number) =>
      attemptsOf(some.find((each) => each.experiment_id === of) ?? (some[0] as Experiment), some).map(
        (each) => each.experiment_id,
      );
    expect(numbers(4)).toEqual([2, 4]);
    expect(numbers(3)).toEqual([3]);
    expect(numbers(5)).toEqual([5]);
  });

  it('counts a gain as positive whatever the direction', () => {
    expect(gainOver(150, 100, 'maximize')).toBeCloseTo(0.5);
    expect(gainOver(0.5, 1, 'minimize')).toBeCloseTo(0.5);
    expect(gainOver(2, 1, 'minimize')).toBeCloseTo(-1);
    expect(gainOver(1, 0, 'maximize')).toBeNull();
  });

  it('knows every bound by its metric', () => {
    const bounds = sloBounds({
      latency: { p99: { threshold: 5 } },
      ttft: { threshold: 0.5, p99: { threshold: 1 } },
      tpot: { threshold: 0.05, percentile: 'p90' },
    });
    expect(bounds.map(({ name, metric, threshold }) => [name, metric, threshold])).toEqual([
      ['latency.p99', 'p99_e2e_latency', 5],
      ['ttft', 'mean_ttft', 0.5],
      ['ttft.p99', 'p99_ttft', 1],
      ['tpot.p90', 'p90_tpot', 0.05],
    ]);
    expect(sloBounds(null)).toEqual([]);
  });

  it('falls back to the usual objective', () => {
    expect(objectiveOf({}).name).toBe('minimize_latency');
    expect(objectiveOf({ objective: 'maximize_throughput' })).toMatchObject({
      direction: 'maximize',
      kind: 'tokens_per_second',
    });
  });

  it('takes the advice out of the message that repeats it', () => {
    expect(messageAlone('out of memory; lower it', 'lower it')).toBe('out of memory');
    expect(messageAlone('out of memory', null)).toBe('out of memory');
  });

  it('divides the time into phases; what still runs lasts until now', () => {
    const at = (second: number) => new Date(1_700_000_000_000 + second * 1000).toISOString();
    const now = 1_700_000_000_000 + 50_000;
    const phases = (change: object) =>
      phasesOf(
        { created_at: at(0), started_at: at(10), completed_at: at(40), ready_after: 5, ...change },
        now,
      ).map(({ key, seconds }) => [key, seconds]);
    expect(phases({})).toEqual([
      ['waiting', 10],
      ['starting', 5],
      ['benchmark', 25],
    ]);
    expect(phases({ completed_at: null, ready_after: null })).toEqual([
      ['waiting', 10],
      ['starting', 40],
    ]);
  });
});
