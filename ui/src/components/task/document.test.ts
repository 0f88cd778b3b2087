import { describe, expect, it } from 'vitest';
import type { Experiment } from '@/api/queries/experiments';
import failed from '@/test/fixtures/experiments-failed.json';
import { changesBetween, flatten, spaceOf } from './document';
import { groupFailures } from './failures';

describe('a task document', () => {
  it('is read as paths and values', () => {
    expect(
      flatten({ slo: { latency: { p99: { threshold: 2 } } }, args: [], tag: null, levels: [1, 8] }),
    ).toEqual([
      ['slo.latency.p99.threshold', '2'],
      ['levels', '1, 8'],
    ]);
  });

  it('has parameters of every kind', () => {
    expect(
      spaceOf({
        'max-num-seqs': [4, 8],
        'gpu-memory-utilization': { type: 'continuous', low: 0.6, high: 0.95 },
        'max-num-batched-tokens': { type: 'integer', low: 2048, high: 16384, log: true },
        'enable-prefix-caching': { type: 'boolean' },
      }).map(({ kind, text, count, isLog }) => [kind, text, count, isLog]),
    ).toEqual([
      ['list', '4, 8', 2, false],
      ['continuous', '0.6 – 0.95', undefined, false],
      ['integer', '2,048 – 16,384', 14337, true],
      ['boolean', 'true, false', 2, false],
    ]);
  });

  it('is compared with another', () => {
    expect(
      changesBetween(
        { optimization: { max_iterations: 4, seed: 1 }, model: { id_or_path: 'a' } },
        { optimization: { max_iterations: 8 }, model: { id_or_path: 'a' } },
      ),
    ).toEqual([
      { path: 'optimization.max_iterations', before: '4', after: '8' },
      { path: 'optimization.seed', before: '1', after: undefined },
    ]);
  });
});

describe('failures of a run', () => {
  it('are told once a kind, with what to do', () => {
    const groups = groupFailures(failed as unknown as Experiment[]);
    const all = groups.flatMap(({ experiments }) => experiments);
    expect(all).toHaveLength(
      failed.filter(({ status, failure_kind }) => status === 'failed' && failure_kind !== 'cancelled').length,
    );
    expect(new Set(groups.map(({ kind }) => kind)).size).toBe(groups.length);
    for (const { message, advice } of groups) for (const text of advice) expect(message).not.toContain(text);
  });
});
