import { describe, expect, it } from 'vitest';
import { parseScenario, toKind, writeScenario } from './scenario';

describe('a scenario', () => {
  it.each(['D(100,128)', 'N(480,240)/(300,150)', 'U(16,64)/(8,32)', 'U(64,32)', 'D(,128)', 'N(1,,2)'])(
    '%s comes back as it was',
    (text) => {
      const scenario = parseScenario(text);
      if (scenario) expect(writeScenario(scenario)).toBe(text);
      else expect(text).toBe('N(1,,2)');
    },
  );

  it.each(['', 'D(100)', 'N(1,2)', 'X(1,2)', 'D(1,2)/(3,4)', 'dataset', 'D(1,2', 'I(512,512)'])(
    '%s has another shape and stays text',
    (text) => {
      expect(parseScenario(text)).toBeUndefined();
    },
  );

  it('is taken apart, with or without spaces', () => {
    expect(parseScenario(' D( 100 , 128 ) ')).toEqual({ kind: 'D', lengths: ['100', '128'] });
  });

  it('becomes another kind that is near it', () => {
    const fixed = { kind: 'D' as const, lengths: ['400', '100'] };
    expect(writeScenario(toKind(fixed, 'N'))).toBe('N(400,100)/(100,25)');
    expect(writeScenario(toKind(fixed, 'U'))).toBe('U(200,600)/(50,150)');
    expect(writeScenario(toKind(toKind(fixed, 'N'), 'D'))).toBe('D(400,100)');
    expect(writeScenario(toKind(toKind(fixed, 'U'), 'D'))).toBe('D(400,100)');
    expect(writeScenario(toKind({ kind: 'D', lengths: ['', '100'] }, 'N'))).toContain('(100,25)');
  });
});
