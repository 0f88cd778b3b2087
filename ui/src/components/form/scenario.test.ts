import { describe, expect, it } from 'vitest';
import {
  parseScenario,
  SCENARIO_KINDS,
  toKind,
  usualEndpoint,
  usualScenario,
  writeScenario,
} from './scenario';

describe('a scenario', () => {
  it.each([
    'D(100,128)',
    'N(480,240)/(300,150)',
    'U(16,64)/(8,32)',
    'U(64,32)',
    'P(2000,500)/200',
    'E(1024)',
    'R(1024,100)',
    'I(512,512)',
    'I(512,512,2)',
    'I(512,512)/64',
    'I(512,512,2)/64',
    'dataset',
    'D(,128)',
    'P(,)/',
    'N(1,,2)',
  ])('%s comes back as it was', (text) => {
    const scenario = parseScenario(text);
    if (scenario) expect(writeScenario(scenario)).toBe(text);
    else expect(text).toBe('N(1,,2)');
  });

  it.each(['', 'D(100)', 'N(1,2)', 'X(1,2)', 'D(1,2)/(3,4)', 'D(1,2', 'P(1,2)', 'E(1,2)', 'I(1)'])(
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

  it('becomes every other kind, and each of them can be read', () => {
    for (const from of SCENARIO_KINDS)
      for (const to of SCENARIO_KINDS) {
        const begun = toKind({ kind: 'D', lengths: ['512', '128'] }, from);
        expect(parseScenario(writeScenario(toKind(begun, to)))?.kind).toBe(to);
      }
    const prefixed = toKind({ kind: 'D', lengths: ['2000', '200'] }, 'P');
    expect(writeScenario(prefixed)).toBe('P(1000,1000)/200');
    expect(writeScenario(toKind(prefixed, 'D'))).toBe('D(2000,200)');
  });

  it('is the usual one of what is asked, where none is named', () => {
    expect(usualScenario({ hasDataSet: false })).toBe('D(100,100)');
    expect(usualScenario({ hasDataSet: true })).toBe('dataset');
    expect(usualScenario({ endpoint: 'embeddings', hasDataSet: false })).toBe('E(100)');
    expect(usualScenario({ task: 'text-to-rerank', hasDataSet: true })).toBe('R(100,20)');
    expect(usualScenario({ task: 'image-text-to-text', hasDataSet: false })).toBe('I(512,512)');
  });

  it('tells which API is asked, where the document does not', () => {
    expect(usualEndpoint({ scenarios: ['D(1,2)', 'R(1,2)'] })).toBe('rerank');
    expect(usualEndpoint({ task: 'text-to-text', scenarios: ['E(1)'] })).toBe('chat');
    expect(usualEndpoint({ endpoint: 'tgi', scenarios: ['E(1)'] })).toBe('tgi');
  });
});
