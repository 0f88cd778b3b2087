import { describe, expect, it } from 'vitest';
import { claimOf } from './Gain';

describe('what may be claimed of a task', () => {
  it.each([
    ['running', 'nothing_measured', null],
    ['running', 'only_defaults', null],
    ['running', 'gain', 'gain'],
    ['running', 'unconfirmed', 'unconfirmed'],
    ['running', 'undecided', null],
    ['pending', 'nothing_measured', null],
    ['failed', 'nothing_measured', 'nothing_measured'],
    ['completed', 'no_gain', 'no_gain'],
  ])('%s, %s', (status, claim, expected) => {
    expect(claimOf({ status, claim })).toBe(expected);
  });
});
