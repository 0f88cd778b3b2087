import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { bestSoFar, type HistoryPoint, historyOption, historyTable } from './history';
import { readTokens } from './tokens';

const point = (
  number: number,
  value: number | null,
  state: HistoryPoint['state'] = 'feasible',
  score = value === null ? null : -value,
): HistoryPoint => ({ number, value, state, score, role: 'search' });

describe('bestSoFar', () => {
  it('steps up where more is better, and reaches the newest experiment', () => {
    const points = [point(1, 100), point(2, 90), point(3, 140), point(4, 120)];
    expect(bestSoFar(points)).toEqual([
      [1, 100],
      [3, 140],
      [4, 140],
    ]);
  });

  it('steps down where less is better', () => {
    const points = [0.5, 0.7, 0.2].map((value, index) => point(index + 1, value, 'feasible', value));
    expect(bestSoFar(points)).toEqual([
      [1, 0.5],
      [3, 0.2],
    ]);
  });

  it('never takes what misses an SLO, failed, or runs', () => {
    const points = [
      point(1, 100),
      point(2, 900, 'infeasible'),
      point(3, null, 'failed'),
      point(4, null, 'running'),
    ];
    expect(bestSoFar(points)).toEqual([
      [1, 100],
      [4, 100],
    ]);
  });

  it('is nothing while nothing is feasible', () => {
    expect(bestSoFar([point(1, 900, 'infeasible')])).toEqual([]);
    expect(bestSoFar([])).toEqual([]);
  });

  it('ranks by the score, where a penalty makes it differ from the objective', () => {
    const points = [point(1, 100, 'feasible', -100), point(2, 150, 'feasible', -60)];
    expect(bestSoFar(points)).toEqual([
      [1, 100],
      [2, 100],
    ]);
  });
});

describe('the history', () => {
  const input = {
    points: [point(1, 100), point(2, 120, 'infeasible'), point(3, null, 'failed')],
    name: 'Throughput',
    format: String,
    baseline: 100,
    best: 1,
    tokens: readTokens(),
    t: i18next.t,
  };

  it('names in its legend only what is there', () => {
    const { legend } = historyOption({ ...input, points: [point(1, 100)] });
    expect(legend).toMatchObject({ data: ['Feasible', 'Best so far', 'Best'] });
  });

  it('shows failures apart, on an axis of their own', () => {
    const { series } = historyOption(input);
    const failures = (series as { name: string; data: unknown; yAxisIndex?: number }[]).find(
      (each) => each.name === 'Failed',
    );
    expect(failures).toMatchObject({ data: [[3, 0]], yAxisIndex: 1 });
  });

  it('can be read as a table', () => {
    expect(historyTable(input).rows).toEqual([
      [1, 'Feasible', '100', '100'],
      [2, 'Misses an SLO', '120', '100'],
      [3, 'Failed', null, '100'],
    ]);
  });
});
