import { describe, expect, it } from 'vitest';
import { METRICS, objectiveKind, withUnit } from './units';

describe('withUnit', () => {
  it('writes a value as its kind is read', () => {
    expect(withUnit('seconds', 0.0204)).toBe('20.4ms');
    expect(withUnit('tokens_per_second', 4880.01)).toBe('4,880 tok/s');
    expect(withUnit('requests_per_second', 12.3456)).toBe('12.35 req/s');
    expect(withUnit('share', 0.995)).toBe('99.5%');
    expect(withUnit('count', 1234567)).toBe('1,234,567');
    expect(withUnit('seconds', null)).toBe('–');
  });
});

describe('metrics', () => {
  it('are faster where they are times, and more where they are rates', () => {
    for (const { kind, better } of METRICS) expect(better).toBe(kind === 'seconds' ? 'lower' : 'higher');
  });

  it('are measured as their objective is', () => {
    expect(objectiveKind('maximize_throughput')).toBe('tokens_per_second');
    expect(objectiveKind('minimize_ttft')).toBe('seconds');
  });
});
