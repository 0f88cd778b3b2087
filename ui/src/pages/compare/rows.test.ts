import { describe, expect, it } from 'vitest';
import { experimentOf } from '@/test/experiments';
import { bestPlaces, metricRows, sharesToFirst } from './rows';

describe('figures side by side', () => {
  it('mark the best by the metric, and nothing where all are equal', () => {
    expect(bestPlaces([3, 1, null, 1], 'lower')).toEqual([1, 3]);
    expect(bestPlaces([3, 1, null], 'higher')).toEqual([0]);
    expect(bestPlaces([2, 2], 'higher')).toEqual([]);
    expect(bestPlaces([2, null], 'higher')).toEqual([]);
  });

  it('count differences from the first', () => {
    expect(sharesToFirst([100, 150, 50, null])).toEqual([null, 0.5, -0.5, null]);
    expect(sharesToFirst([null, 5])).toEqual([null, null]);
    expect(sharesToFirst([0, 5])).toEqual([null, null]);
  });

  it('leave out what none of them has', () => {
    const found = metricRows([
      experimentOf(1, { metrics: { mean_ttft: 1 } }),
      experimentOf(2, { metrics: { mean_ttft: 0.5 } }),
    ]);
    expect(found.map(({ metric, best }) => [metric.key, best])).toEqual([['mean_ttft', [1]]]);
  });
});
