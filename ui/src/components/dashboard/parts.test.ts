import { describe, expect, it } from 'vitest';
import { sampled } from '@/api/queries/dashboard';
import { isByClock } from './byClock';
import { type FailedExperiment, failuresSince } from './failures';
import { ofBytes } from './HostFigures';
import { roughly } from './RunningCard';
import { sparkPath } from './Sparkline';

describe('sparkPath', () => {
  it('runs from left to right, large figures on top', () => {
    expect(sparkPath([0, 5, 10], 0, 10, 100, 24)).toBe('M0.0 23.0L50.0 12.0L100.0 1.0');
  });

  it('is interrupted where nothing is known', () => {
    expect(sparkPath([0, null, 10, 10], 0, 10, 90, 24)).toBe('M0.0 23.0M60.0 1.0L90.0 1.0');
  });

  it('does not divide by nothing', () => {
    expect(sparkPath([3], 3, 3)).toBe('M0.0 23.0');
    expect(sparkPath([], 0, 1)).toBe('');
  });
});

describe('sampled', () => {
  it('keeps the figures of a minute, and forgets what has gone', () => {
    let kept = sampled<number>(undefined, 0, { cpu: 0, gone: 1 });
    for (let count = 1; count <= 20; count += 1) kept = sampled(kept, count, { cpu: count });
    expect(kept.now).toBe(20);
    expect(kept.samples).toEqual({ cpu: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20] });
  });
});

describe('failuresSince', () => {
  const failed = (
    id: number,
    kind: string | null,
    more: Partial<FailedExperiment> = {},
  ): FailedExperiment => ({
    id,
    task_id: 1,
    experiment_id: id,
    status: 'failed',
    failure_kind: kind,
    created_at: '2026-11-29T10:00:00Z',
    ...more,
  });
  const since = Date.parse('2026-11-29T09:00:00Z');

  it('groups by kind, the commonest first and cancelled ones last', () => {
    const groups = failuresSince(
      [
        failed(1, 'cancelled'),
        failed(2, 'cancelled'),
        failed(3, 'out_of_memory'),
        failed(5, 'engine_crashed', { task_id: 2 }),
        failed(4, 'engine_crashed'),
        failed(6, null),
      ],
      since,
    );
    expect(groups.map(({ kind, count }) => [kind, count])).toEqual([
      ['engine_crashed', 2],
      ['out_of_memory', 1],
      ['unknown', 1],
      ['cancelled', 2],
    ]);
    expect(groups[0]).toMatchObject({ tasks: [2, 1], latest: { id: 5 } });
  });

  it('leaves out what is older, and what did not fail', () => {
    const old = failed(1, 'infrastructure', { created_at: '2026-11-28T00:00:00Z' });
    expect(failuresSince([old, failed(2, null, { status: 'success' })], since)).toEqual([]);
  });
});

describe('figures', () => {
  it('have their unit once', () => {
    expect(ofBytes(4 * 1024 ** 3, 16 * 1024 ** 3)).toBe('4 / 16 GB');
    expect(ofBytes(512 * 1024 ** 2, 16 * 1024 ** 3)).toBe('512 MB / 16 GB');
    expect(ofBytes(null, 1024)).toBe('– / 1 KB');
  });

  it('are no more exact than a guess', () => {
    expect([4.4, 95, 1234, 9000].map(roughly)).toEqual(['4s', '1m 40s', '21m', '2h 30m']);
  });
});

describe('a level that runs', () => {
  it('follows a clock unless it is a concurrency', () => {
    expect(isByClock('D(64,32) at concurrency 16')).toBe(false);
    expect(isByClock('D(64,32) at poisson at 8/s')).toBe(true);
    expect(isByClock('D(64,32) at 2 stages')).toBe(true);
    expect(isByClock(undefined)).toBe(false);
  });
});
