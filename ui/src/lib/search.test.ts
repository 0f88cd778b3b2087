import { describe, expect, it } from 'vitest';
import { asNumber, asText, asWord, parseSearch, stringifySearch } from './search';

describe('search', () => {
  it('reads and writes plain text', () => {
    expect(parseSearch('?q=a%20b&page=2')).toEqual({ q: 'a b', page: '2' });
    expect(stringifySearch({ q: 'a b', ids: '1,2', at: '10:30' })).toBe('?q=a+b&ids=1,2&at=10:30');
  });

  it('leaves out what is empty', () => {
    expect(stringifySearch({ q: '', page: undefined, sort: null })).toBe('');
    expect(stringifySearch({ page: 0 })).toBe('?page=0');
  });

  it('comes back as it went', () => {
    const search = { q: 'D(64,32) & "α" #1', status: 'failed,cancelled' };
    expect(parseSearch(stringifySearch(search))).toEqual(search);
  });
});

describe('what is read from it', () => {
  it('are whole numbers in bounds', () => {
    expect(['3', '0', '-1', '1.5', 'x', '', undefined].map((value) => asNumber(value))).toEqual([
      3,
      ...Array(6).fill(undefined),
    ]);
    expect(asNumber('0', 0)).toBe(0);
  });

  it('are words that are known, and texts that are not empty', () => {
    expect(asWord('b', ['a', 'b'])).toBe('b');
    expect(asWord('c', ['a', 'b'])).toBeUndefined();
    expect([asText('x'), asText(''), asText(undefined), asText(3)]).toEqual(['x', undefined, undefined, '3']);
  });
});
