import { afterEach, describe, expect, it } from 'vitest';
import { ago, bytes, duration, gain, moment, number, percent, setting } from './format';
import { setLanguage } from './i18n';

afterEach(() => setLanguage('en'));

describe('number', () => {
  it.each([
    [0, '0'],
    [4880.0087, '4,880'],
    [0.0123456, '0.01235'],
    [1234567.89, '1,234,568'],
    [-Math.PI, '-3.142'],
  ])('writes %d as %s', (value, text) => expect(number(value)).toBe(text));

  it('has nothing to say of what is not there', () => {
    expect([number(null), number(undefined), number(Number.NaN), number(Infinity)]).toEqual(
      Array(4).fill('–'),
    );
  });
});

describe('duration', () => {
  it.each([
    [0, '0s'],
    [0.045, '45ms'],
    [0.9996, '1s'],
    [12.34, '12.3s'],
    [59.96, '1m'],
    [60, '1m'],
    [3_723, '1h 2m'],
    [62, '1m 2s'],
    [3_600, '1h'],
    [90_061, '1d 1h'],
    [172_800, '2d'],
  ])('writes %d seconds as %s', (seconds, text) => expect(duration(seconds)).toBe(text));

  it('has nothing to say of what is not there', () => expect(duration(null)).toBe('–'));
});

describe('bytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1536, '1.5 KB'],
    [74_912_345, '71.4 MB'],
    [2 * 1024 ** 5, '2 PB'],
    [5000 * 1024 ** 5, '5,000 PB'],
  ])('writes %d as %s', (value, text) => expect(bytes(value)).toBe(text));
});

describe('shares', () => {
  it('has percentages, and gains with their sign', () => {
    expect(percent(0.8934)).toBe('89.3%');
    expect([gain(0.9795), gain(-0.02), gain(0), gain(null)]).toEqual(['+98.0%', '-2.0%', '0.0%', '–']);
  });
});

describe('times', () => {
  const now = Date.UTC(2026, 10, 29, 12);

  it('are told from now', () => {
    expect(ago(now - 100_000, now)).toBe('2 min. ago');
    expect(ago(now - 86_400_000, now)).toBe('yesterday');
    expect(ago(now + 3_600_000, now)).toBe('in 1 hr.');
    expect(ago(now, now)).toBe('now');
  });

  it('say their zone in full', () => expect(moment(now)).toMatch(/2026.*(UTC|GMT|[A-Z]{3,4})/));

  it('follow the language of the page', async () => {
    await setLanguage('zh');
    expect(ago(now - 120_000, now)).toBe('2分钟前');
  });
});

describe('setting', () => {
  it('is what would stand on a command line', () => {
    expect([setting('auto'), setting(false), setting([1, 2]), setting({ a: 1 }), setting(null)]).toEqual([
      'auto',
      'false',
      '[1,2]',
      '{"a":1}',
      '–',
    ]);
  });
});
