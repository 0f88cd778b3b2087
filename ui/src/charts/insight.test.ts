import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { type PairMap, pairOption, pairTable, spanText, valuesOption, valuesTable } from './feasibility';
import { importanceOption, importanceTable } from './importance';
import { interactionsOption, interactionsTable } from './interactions';
import { readTokens } from './tokens';

const tokens = readTokens();
const t = i18next.t;
const counts = (n: number, good: number, missed_slo = 0) => ({
  n,
  good,
  missed_slo,
  failed: n > good + missed_slo ? [{ kind: 'out_of_memory', n: n - good - missed_slo }] : [],
});

describe('interactions', () => {
  const pair = (first: string, second: string, share: number) => ({
    first,
    second,
    share,
    low: share / 2,
    high: share * 2,
    stands_out: share > 0.1,
  });
  const pairs = [pair('c', 'a', 0.2), pair('a', 'b', 0.01)];

  it('stand below the diagonal, whichever comes first', () => {
    const option = interactionsOption(pairs, ['a', 'b', 'c'], { tokens, t, isNarrow: false });
    expect(option.series).toMatchObject([{ data: [{ value: [0, 2, 0.2] }, { value: [0, 1, 0.01] }] }]);
  });

  it('are rows as well', () => {
    expect(interactionsTable(pairs, t).rows[0]).toEqual(['c × a', '20%', '10% – 40%', 'yes']);
  });
});

describe('importance with totals', () => {
  const rows = [{ name: 'a', importance: 0.5, low: 0.4, high: 0.6, total: 0.7, isFaint: false }];

  it('adds what is done together with others to the bar', () => {
    const option = importanceOption(rows, { tokens, t });
    const [alone, more] = option.series as { data: { value: number }[] }[];
    expect(alone?.data[0]?.value).toBe(0.5);
    expect(more?.data[0]?.value).toBeCloseTo(0.2);
    expect(importanceTable(rows, t).rows).toEqual([['a', '50%', '40% – 60%', '70%', 'yes']]);
  });
});

describe('where configurations work', () => {
  it('is a stack for each value', () => {
    const map = { name: 'p', values: [{ from: 1, to: 4, counts: counts(5, 2, 1) }] };
    expect(valuesOption(map, { tokens, t }).series).toMatchObject([
      { data: [2] },
      { data: [1] },
      { data: [2] },
    ]);
    expect(valuesTable(map, t).rows).toEqual([['1 – 4', 5, 2, 1, 2]]);
  });

  it('is a map of two, empty where nothing was tried', () => {
    const map: PairMap = {
      first: 'p',
      first_values: [
        { from: 1, to: 1 },
        { from: 2, to: 2 },
      ],
      second: 'q',
      second_values: [{ from: null, to: null }],
      cells: [{ first: 1, second: 0, counts: counts(4, 1) }],
    };
    const option = pairOption(map, { tokens, t, isNarrow: false });
    expect(option.series).toMatchObject([{ data: [{ value: [1, 0, 0.25] }] }]);
    expect(pairTable(map, t).rows).toEqual([['2', '–', 4, 1, 0, 3, '25%']]);
    expect(spanText({ from: 'fp8', to: 'fp8' })).toBe('fp8');
  });
});
