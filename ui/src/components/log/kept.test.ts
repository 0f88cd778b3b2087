import { describe, expect, it } from 'vitest';
import { readSought, writeSought } from './kept';

describe('what is sought in a log', () => {
  it.each([
    {},
    { find: 'CUDA out of', level: 'warn' },
    { find: '^a+$', how: 'regex,case', only: '1', stream: 'stderr' },
  ])('comes back from the address: %o', (address) => {
    const written = Object.entries(writeSought(readSought(address))).filter(
      ([, value]) => value !== undefined,
    );
    expect(Object.fromEntries(written)).toEqual(address);
  });

  it('is nothing where the address says what nobody knows', () => {
    expect(readSought({ level: 'loud', stream: 'third', how: 'guess' })).toEqual(readSought({}));
  });
});
