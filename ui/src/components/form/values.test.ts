import { describe, expect, it } from 'vitest';
import { readAny, writeAny } from './KeyValues';
import { isOpen, kindOf, numberOf, parseValue, splitValues, writeValue } from './values';

describe('values that are typed', () => {
  it.each([
    ['8', 8],
    ['-0.5', -0.5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['0', 0],
    ['true', true],
    ['false', false],
    ['null', null],
    ['4bit', '4bit'],
    ['2.5.1', '2.5.1'],
    ['007', '007'],
    ['0777', '0777'],
    ['1.', '1.'],
    ['0x10', '0x10'],
    ['on', 'on'],
    ['True', 'True'],
    ['12345678901234567890', '12345678901234567890'],
    ['1e999', '1e999'],
    ['"8"', '8'],
    ['"true"', 'true'],
    ["'8'", '8'],
    ["'it''s'", "it's"],
    ['"a \\"b\\""', 'a "b"'],
    ['{"level":3}', '{"level":3}'],
    ['fp8_e5m2', 'fp8_e5m2'],
    ['  lpm ', 'lpm'],
  ])('%s', (text, value) => {
    expect(parseValue(text)).toBe(value);
  });

  it.each([
    8,
    0.95,
    true,
    null,
    '8',
    'true',
    'null',
    '',
    ' padded ',
    'a, b',
    '4bit',
    '2.5.1',
    '"quoted"',
    "'single'",
    '{"method":"ngram","n":[1,2]}',
    'D(1,2)',
    'a\nb',
    '1e5',
    '{',
    'x"y',
    "it's",
  ])('%j comes back as it was', (value) => {
    const written = writeValue(value);
    expect(splitValues(written)).toHaveLength(1);
    expect(parseValue(splitValues(written)[0] ?? '')).toBe(value);
  });

  it('are split at commas and line ends, not inside quotes and brackets', () => {
    expect(splitValues('8, 16,32\n64')).toEqual(['8', '16', '32', '64']);
    expect(splitValues('"a, b", {"x": [1, 2]}, D(100,128), it\'s')).toEqual([
      '"a, b"',
      '{"x": [1, 2]}',
      'D(100,128)',
      "it's",
    ]);
    expect(splitValues(' , ,')).toEqual([]);
  });

  it('wait for what closes them', () => {
    expect(isOpen('{"a": 1')).toBe(true);
    expect(isOpen('"a')).toBe(true);
    expect(isOpen('D(100')).toBe(true);
    expect(isOpen('8')).toBe(false);
    expect(isOpen('')).toBe(false);
  });

  it('have a kind', () => {
    expect([null, true, 1, 'a', [1], { a: 1 }].map(kindOf)).toEqual([
      'null',
      'boolean',
      'number',
      'text',
      'json',
      'json',
    ]);
  });

  it('are numbers only where they can be kept', () => {
    expect(numberOf('')).toBeUndefined();
    expect(numberOf('a')).toBeUndefined();
    expect(numberOf(' 60.0 ')).toBe(60);
    expect(numberOf('9007199254740993')).toBeUndefined();
  });

  it.each([0, '0.0', 'text', true, null, { a: [1] }, ['stop'], '{"a":1}', '[oops', ''])(
    '%j comes back from a field for any value',
    (value) => {
      expect(readAny(writeAny(value))).toEqual(value);
    },
  );
});
