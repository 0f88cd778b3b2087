import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '@/api/queries/experiments';
import { dimension } from '@/components/experiment/parameters';
import { levelsOf } from '@/components/experiment/read';
import success from '@/test/fixtures/experiment-success.json';
import { importanceOption, importanceTable } from './importance';
import { LEVEL_METRICS, levelsOption, levelsTable, loadsOf, scenariosOf } from './levels';
import { quantilesOption, quantilesTable } from './quantiles';
import { groups, median, sliceOption } from './slices';
import { tip } from './tip';
import { readTokens, withAlpha } from './tokens';

const tokens = readTokens();
const t = i18next.t;
const levels = levelsOf(success as unknown as Experiment);

describe('levels', () => {
  const series = [{ name: '#2', color: '#000000', levels }];
  const metric = LEVEL_METRICS[0];
  if (!metric) throw new Error('no metric');

  it('are found in an answer of the service', () => {
    expect(levels.length).toBeGreaterThan(0);
    expect(levels[0]?.ttft.p50).toBeGreaterThan(0);
    expect(scenariosOf(series)).toHaveLength(1);
  });

  it('are one line each over the concurrency, bars where there is but one', () => {
    const scenario = scenariosOf(series)[0] ?? '';
    const loads = loadsOf(series, scenario);
    const option = levelsOption({ series, metric, scenario, bound: null, tokens, t });
    expect(option.series).toMatchObject([{ type: loads.length === 1 ? 'bar' : 'line', name: '#2' }]);
    expect(levelsTable({ series, metric, scenario, bound: null, tokens, t }).rows).toHaveLength(loads.length);
  });

  it('leave a gap where an experiment has no such level', () => {
    const one = {
      ...levels[0],
      scenario: 'D(1,1)',
      load: 4,
      totalThroughput: 10,
    } as (typeof levels)[0];
    const two = { ...one, load: 8, totalThroughput: 20 };
    const option = levelsOption({
      series: [
        { name: 'a', color: '#000000', levels: [one, two] },
        { name: 'b', color: '#000000', levels: [two] },
      ],
      metric,
      scenario: 'D(1,1)',
      bound: 1,
      tokens,
      t,
    });
    expect(option.series).toMatchObject([{ data: [10, 20] }, { data: [null, 20] }]);
  });
});

describe('quantiles', () => {
  const distribution = { n: 9, mean: 2, min: 1, max: 9, p50: 2, p90: 4, p95: 5, p99: 8, lowN: ['p99'] };
  const series = [{ name: '#2', color: '#000000', distribution }];

  it('are shown with the bound, unless it is so far that nothing else could be read', () => {
    const bound = (p99: number) =>
      (quantilesOption({ series, bounds: { p99 }, tokens, t }).series as { data: unknown[] }[]).at(-1)?.data;
    expect(bound(10)).toEqual([null, null, null, null, 10, null]);
    expect(bound(1000)).toEqual([null, null, null, null, null, null]);
  });

  it('can be read as a table', () => {
    const { rows } = quantilesTable({ series, bounds: {}, tokens, t });
    expect(rows[0]).toEqual(['n', 9]);
    expect(rows).toContainEqual(['P99', '8s']);
  });
});

describe('slices', () => {
  it('have a median for each value of a category', () => {
    const axis = dimension('a', { a: [1, 2] }, [1, 2]);
    const rows = [
      { number: 2, value: 1, objective: 10, state: 'feasible' as const },
      { number: 3, value: 1, objective: 30, state: 'infeasible' as const },
    ];
    expect(groups(axis, rows)).toEqual([
      { name: '1', values: [10, 30] },
      { name: '2', values: [] },
    ]);
    expect([median([]), median([3]), median([1, 4]), median([9, 1, 5])]).toEqual([null, 3, 2.5, 5]);
    const option = sliceOption({ dimension: axis, rows, name: 'x', format: String, best: 2, tokens, t });
    expect((option.series as { data: unknown[] }[])[2]?.data).toEqual([[0, 20]]);
  });
});

describe('importance', () => {
  const parameters = [
    { name: 'a', importance: 0.2, low: 0.1, high: 0.3 },
    { name: 'b', importance: 0.8, low: null, high: null },
  ];

  it('shows the largest on top, with intervals where they are known', () => {
    const { yAxis, series } = importanceOption(parameters, { tokens, t });
    expect(yAxis).toMatchObject({ data: ['a', 'b'] });
    expect((series as { data: unknown[] }[]).at(-1)?.data).toEqual([[0, 0.1, 0.3]]);
    expect(importanceTable(parameters, t).rows).toEqual([
      ['b', '80%', null],
      ['a', '20%', '10% – 30%'],
    ]);
  });
});

describe('what is said of a point', () => {
  it('is built of elements: what a name holds is text, never markup', () => {
    const box = tip('<b>1</b>', [{ name: '<i>', value: '&', color: '#ff0000' }], 'note');
    expect(box.querySelector('b, i')).toBeNull();
    expect(box.textContent).toBe('<b>1</b><i>&note');
  });

  it('makes colours see-through, where it knows how', () => {
    expect(withAlpha('#112233', 0.5)).toBe('#11223380');
    expect(withAlpha('red', 0.5)).toBe('red');
  });
});
