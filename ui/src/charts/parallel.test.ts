import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import { dimension } from '@/components/experiment/parameters';
import { brushOfText, brushToText, isBrushed, OBJECTIVE_AXIS } from './brush';
import { blend, parallelOption, ranks } from './parallel';
import { readTokens } from './tokens';

const SPACE = {
  seqs: [8, 16, 32],
  tokens: { type: 'integer', low: 2048, high: 16384, log: true },
  eager: { type: 'boolean' },
};
const axes = [
  dimension('seqs', SPACE, [32, 8]),
  dimension('tokens', SPACE, [2048, 8192]),
  dimension('eager', SPACE, [true]),
];

describe('parallel coordinates', () => {
  it('lay out categories, switches and logarithmic ranges', () => {
    const { parallelAxis, series } = parallelOption({
      rows: [
        { number: 2, parameters: { seqs: 8, tokens: 2048, eager: true }, value: 5, state: 'feasible' },
        { number: 3, parameters: { seqs: 32, tokens: 8192, eager: false }, value: null, state: 'failed' },
      ],
      dimensions: axes,
      direction: 'maximize',
      name: 'Throughput',
      format: String,
      best: 2,
      tokens: readTokens(),
      t: i18next.t,
    });
    expect(parallelAxis).toMatchObject([
      { type: 'category', data: ['8', '16', '32'] },
      { type: 'log', logBase: 2 },
      { type: 'category', data: ['false', 'true'] },
      { type: 'value', name: 'Throughput' },
    ]);
    const [lines] = series as { data: { name: string; value: unknown[] }[] }[];
    // What failed has no end, and lies below what was measured.
    expect(lines?.data.map((line) => line.value)).toEqual([
      ['32', 8192, 'false', Number.NaN],
      ['8', 2048, 'true', 5],
    ]);
  });

  it('colours by rank, so that one outlier does not take all the colours', () => {
    expect(ranks([10, 20, 9000, null], 'maximize')).toEqual([0, 0.5, 1, null]);
    expect(ranks([1, 2], 'minimize')).toEqual([1, 0]);
    expect(blend('#000000', '#ffffff', 0.5)).toBe('#808080');
  });
});

describe('brushes', () => {
  const row = { parameters: { seqs: 16, tokens: 4096, eager: true }, value: 100 };

  it('keep what lies inside of every brushed axis', () => {
    expect(isBrushed(row, axes, {})).toBe(true);
    // Categories count by their place: 16 is the second.
    expect(isBrushed(row, axes, { seqs: [[0.5, 1.5]] })).toBe(true);
    expect(isBrushed(row, axes, { seqs: [[0, 0]] })).toBe(false);
    expect(isBrushed(row, axes, { seqs: [[0, 0]], tokens: [[1, 9999]] })).toBe(false);
    expect(
      isBrushed(row, axes, {
        tokens: [
          [1, 2],
          [4000, 5000],
        ],
      }),
    ).toBe(true);
  });

  it('know the objective, and let go of what has none', () => {
    expect(isBrushed(row, axes, { [OBJECTIVE_AXIS]: [[90, 110]] })).toBe(true);
    expect(isBrushed({ ...row, value: null }, axes, { [OBJECTIVE_AXIS]: [[90, 110]] })).toBe(false);
  });

  it('keep everything on an axis that is gone', () => {
    expect(isBrushed(row, axes, { other: [[1, 2]] })).toBe(true);
  });

  it('survive the address', () => {
    const brush = {
      'env.A,B:C': [[1, 2.5]],
      seqs: [
        [0, 1],
        [2, 2],
      ],
    } as const;
    expect(brushOfText(brushToText(brush))).toEqual(brush);
    expect(brushOfText('nonsense,a:b:c,%:1:2')).toEqual({});
    expect(brushOfText(undefined)).toEqual({});
  });
});
