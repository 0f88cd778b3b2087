import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { frontier, type ParetoPoint, paretoOption, paretoTable } from './pareto';
import { readTokens } from './tokens';

const at = (x: number, y: number) => ({ x, y });

describe('frontier', () => {
  const points = [at(1, 10), at(2, 30), at(3, 20), at(4, 40), at(2, 25), at(5, 40)];

  it('keeps what no other beats: little latency, much throughput', () => {
    expect(frontier(points, 'lower', 'higher')).toEqual([at(1, 10), at(2, 30), at(4, 40)]);
  });

  it('works in every direction', () => {
    expect(frontier(points, 'higher', 'higher')).toEqual([at(5, 40)]);
    expect(frontier(points, 'lower', 'lower')).toEqual([at(1, 10)]);
    expect(frontier(points, 'higher', 'lower')).toEqual([at(1, 10), at(3, 20), at(5, 40)]);
  });

  it('keeps one of equals, and nothing of nothing', () => {
    expect(frontier([at(1, 1), at(1, 1)], 'lower', 'higher')).toEqual([at(1, 1)]);
    expect(frontier([], 'lower', 'higher')).toEqual([]);
  });
});

describe('the trade-off', () => {
  const point = (number: number, x: number, y: number, state: ParetoPoint['state'] = 'feasible') => ({
    number,
    x,
    y,
    state,
    role: number === 1 ? 'baseline' : 'search',
  });
  const input = {
    points: [point(1, 4, 10), point(2, 2, 20), point(3, 1, 99, 'infeasible')],
    x: { name: 'Latency', better: 'lower' as const, format: String, bounds: [3] },
    y: { name: 'Throughput', better: 'higher' as const, format: String, bounds: [] },
    best: 2,
    tokens: readTokens(),
    t: i18next.t,
  };

  it('has no infeasible point on its frontier', () => {
    expect(paretoTable(input).rows.map((row) => row.at(-1))).toEqual(['', 'yes', '']);
  });

  it('marks the defaults, the best and the bounds', () => {
    const { series } = paretoOption(input);
    const named = Object.fromEntries((series as { name: string }[]).map((each) => [each.name, each]));
    expect(named.Defaults).toMatchObject({ data: [[4, 10, 1]] });
    expect(named.Best).toMatchObject({ data: [[2, 20, 2]] });
    expect(named.Feasible).toMatchObject({ markLine: { data: [{ xAxis: 3 }] } });
  });
});
