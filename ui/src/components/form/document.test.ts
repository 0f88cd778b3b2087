import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatOf, readText, tasksOf, writeText } from '@/components/editor/text';
import { actual, modernWord } from './aliases';
import { withModel } from './follow';
import { at, drop, insert, type Json, put, rename, same } from './json';
import { conditionOf, kindOfSpec, toKind, valuesOf, withCondition, withEnd } from './parameter';
import { dotted, fieldOf, indexBelow, resolve } from './paths';
import { marksIn } from './secrets';
import { freeBounds, sloRows } from './slo';
import { DocumentStore } from './store';
import { listOf, toggled, wordsMode } from './words';

const EXAMPLES = '../examples/';
const files = readdirSync(EXAMPLES).filter((name) => /\.(json|ya?ml)$/.test(name));

function example(name: string): Json {
  const text = readFileSync(EXAMPLES + name, 'utf8');
  const { documents, errors } = readText(text, formatOf(text, name));
  expect(errors).toEqual([]);
  return tasksOf(documents)[0] as Json;
}

describe('every example', () => {
  it('is here', () => expect(files.length).toBeGreaterThan(15));

  it.each(files)('%s comes back from the form as it was, but for what is changed', (name) => {
    const document = example(name);
    const before = structuredClone(document);
    const store = new DocumentStore(document);
    store.set(['description'], 'other');
    store.set(['model', 'id_or_path'], at(before, actual(before, ['model', 'id_or_path'])) ?? '');
    expect(store.get()).toEqual({ ...(before as object), description: 'other' });
    expect(document).toEqual(before);
    expect(Object.keys(store.at(['parameters']) as object)).toEqual(
      Object.keys(at(before, ['parameters']) as object),
    );
  });

  it.each(files)('%s comes back from both kinds of text', (name) => {
    const document = example(name);
    for (const format of ['yaml', 'json'] as const) {
      const { documents, errors } = readText(writeText(document, format), format);
      expect(errors).toEqual([]);
      expect(documents).toEqual([document]);
    }
  });

  it.each(files)('%s has parameters that the form can show and leaves alone', (name) => {
    for (const spec of Object.values(at(example(name), ['parameters']) as Record<string, Json>)) {
      const kind = kindOfSpec(spec);
      expect(kind).not.toBe('other');
      expect(toKind(spec, kind)).toBe(spec);
    }
  });
});

describe('a document', () => {
  const document: Json = {
    task_name: 'a',
    parameters: { 'env.A': ['x'], b: { type: 'choice', values: ['4bit', '2.5.1', true, null, 1.5] } },
    future: { key: [{ deep: true }] },
    slo: { ttft: { threshold: 0.5, p99: { threshold: 1 } } },
  };

  it('keeps what no field shows', () => {
    const store = new DocumentStore(document);
    store.set(['parameters', 'env.A'], ['y']);
    store.remove(['slo', 'ttft', 'p99', 'threshold']);
    expect(store.get()).toEqual({
      ...document,
      parameters: { ...(document.parameters as object), 'env.A': ['y'] },
      slo: { ttft: { threshold: 0.5 } },
    });
    expect(at(store.get(), ['future'])).toBe(document.future);
  });

  it('loses parts that are emptied, not those that must be there', () => {
    const store = new DocumentStore({ parameters: { a: [1] }, engine: { env: { A: '1' } } });
    store.remove(['parameters', 'a']);
    store.remove(['engine', 'env', 'A']);
    expect(store.get()).toEqual({ parameters: {} });
    expect(drop({ a: {} }, ['b'])).toEqual({ a: {} });
  });

  it('keeps the order of keys', () => {
    expect(Object.keys(rename({ a: 1, b: 2, c: 3 }, 'b', 'z'))).toEqual(['a', 'z', 'c']);
    expect(Object.keys(insert({ a: 1, c: 3 }, 1, 'b', 2))).toEqual(['a', 'b', 'c']);
    expect(insert({ a: 1, c: 3 }, 0, 'c', 4)).toEqual({ a: 1, c: 4 });
  });

  it('has keys of any name', () => {
    const odd = put({}, ['__proto__', 'a'], 1);
    expect(JSON.stringify(odd)).toBe('{"__proto__":{"a":1}}');
    expect(at({}, ['toString'])).toBeUndefined();
  });

  it('is the same in another order, but for its parameters', () => {
    const ordered = new Set(['parameters']);
    expect(same({ a: 1, b: 2 }, { b: 2, a: 1 }, ordered)).toBe(true);
    expect(same({ parameters: { a: 1, b: 2 } }, { parameters: { b: 2, a: 1 } }, ordered)).toBe(false);
    expect(same({ a: [1] }, { a: [1, 2] })).toBe(false);
    expect(same({ a: '1' }, { a: 1 })).toBe(false);
  });

  it('is edited below the older names that it has', () => {
    const store = new DocumentStore({ model_config: { name: 'old' }, quant_config: { preset: 'default' } });
    store.set(['model', 'id_or_path'], 'new');
    store.set(['quant_config', 'presets'], ['default', 'bf16-stable']);
    store.set(['benchmark', 'endpoint'], 'chat');
    expect(store.get()).toEqual({
      model_config: { name: 'new' },
      quant_config: { preset: ['default', 'bf16-stable'] },
      benchmark: { endpoint: 'chat' },
    });
    expect(modernWord('deployment_mode', 'ome')).toBe('kubernetes');
    expect(modernWord('base_runtime', 'ome')).toBe('ome');
  });
});

describe('what is named after the model', () => {
  it('follows it until it is named otherwise', () => {
    const document: Json = {
      model: { id_or_path: 'a/b' },
      benchmark: { model_name: 'a/b', model_tokenizer: 'mine' },
    };
    expect(withModel(document, 'c/d')).toEqual({
      model: { id_or_path: 'c/d' },
      benchmark: { model_name: 'c/d', model_tokenizer: 'mine' },
    });
  });

  it('stays absent where it is absent', () => {
    expect(withModel({ model: { name: 'a' }, benchmark: {} }, 'b')).toEqual({
      model: { name: 'b' },
      benchmark: {},
    });
  });
});

describe('what is wrong', () => {
  const fields = [
    'parameters',
    'parameters.max-num-seqs',
    'parameters.env.A',
    'benchmark.level_weights',
    'slo.ttft',
  ];

  it.each([
    ['parameters.max-num-seqs[1]', 'parameters.max-num-seqs'],
    ['parameters.max-num-seqs.values[0]', 'parameters.max-num-seqs'],
    ['parameters.env.A', 'parameters.env.A'],
    ['parameters.env.AB', 'parameters'],
    ['parameters.max-num-seqs-x', 'parameters'],
    ['benchmark.level_weights[2]', 'benchmark.level_weights'],
    ['slo.ttft.threshold', 'slo.ttft'],
    ['slo.tpot.threshold', undefined],
    ['', undefined],
    ['foo', undefined],
  ])('%s is shown at its field', (path, field) => {
    expect(fieldOf(path, fields)).toBe(field);
  });

  it('is found along keys that hold dots', () => {
    const document = { parameters: { 'env.A': ['x'], env: { A: 1 } }, list: [{ a: 1 }] };
    expect(resolve(document, 'parameters.env.A[0]')).toEqual(['parameters', 'env.A', 0]);
    expect(resolve(document, 'list[0].a')).toEqual(['list', 0, 'a']);
    expect(resolve(document, 'list[0].nope.deeper')).toEqual(['list', 0]);
    expect(resolve(document, 'missing')).toEqual([]);
    expect(dotted(['parameters', 'env.A', 0])).toBe('parameters.env.A[0]');
    expect(indexBelow('a.b[12].c', 'a.b')).toBe(12);
    expect(indexBelow('a.b', 'a.b')).toBeUndefined();
  });
});

describe('a parameter', () => {
  it('has a condition that comes and goes without a trace', () => {
    const when = "{other} == 'x'";
    const list = withCondition([4, 8], when);
    expect(list).toEqual({ type: 'choice', values: [4, 8], when });
    expect(conditionOf(list)).toBe(when);
    expect(withCondition(list, '')).toEqual([4, 8]);
    expect(conditionOf([4, 8])).toBeUndefined();
    const range = withCondition({ type: 'integer', low: 1, high: 4 }, when);
    expect(toKind(range, 'list')).toEqual({ type: 'choice', values: [1, 2, 3, 4], when });
    expect(toKind(range, 'boolean')).toEqual({ type: 'boolean', when });
    expect(withCondition(range, '')).toEqual({ type: 'integer', low: 1, high: 4 });
    expect(withCondition([4, 8], '')).toEqual([4, 8]);
  });

  it('becomes another kind that is near it', () => {
    expect(toKind([4, 8, 16], 'integer')).toEqual({ type: 'integer', low: 4, high: 16 });
    expect(toKind([0.8, 0.9], 'continuous')).toEqual({ type: 'continuous', low: 0.8, high: 0.9 });
    expect(toKind({ type: 'integer', low: 1, high: 4 }, 'list')).toEqual([1, 2, 3, 4]);
    expect(toKind({ type: 'integer', low: 1, high: 4096, log: true }, 'continuous')).toEqual({
      type: 'continuous',
      low: 1,
      high: 4096,
      log: true,
    });
    expect(toKind({ type: 'boolean' }, 'list')).toEqual([false, true]);
    expect(toKind(['auto', 'fp8'], 'integer')).toEqual({ type: 'integer', low: 1, high: 2 });
  });

  it('keeps its own spelling', () => {
    const spec = { type: 'categorical', choices: [1] };
    expect(kindOfSpec(spec)).toBe('list');
    expect(valuesOf(spec)).toEqual([1]);
    expect(kindOfSpec({ type: 'int', low: 1, high: 2 })).toBe('integer');
    expect(kindOfSpec(3)).toBe('other');
    expect(kindOfSpec({ type: 'choice' })).toBe('other');
    expect(withEnd({ type: 'int', low: 1, step: 2 }, 'step', undefined)).toEqual({ type: 'int', low: 1 });
  });
});

describe('bounds', () => {
  it('are rows, in every way that they can be written', () => {
    const slo = {
      latency: { p50: { threshold: 2 }, p99: {} },
      ttft: { threshold: 0.5, p99: { threshold: 1 } },
      tpot: { threshold: 0.05, percentile: 'p90' },
    };
    expect(sloRows(slo).map(({ metric, statistic, path }) => [metric, statistic, path.join('.')])).toEqual([
      ['latency', 'p50', 'latency.p50'],
      ['latency', 'p99', 'latency.p99'],
      ['ttft', 'mean', 'ttft'],
      ['ttft', 'p99', 'ttft.p99'],
      ['tpot', 'p90', 'tpot'],
    ]);
    expect(freeBounds(slo)).not.toContainEqual({ metric: 'tpot', statistic: 'p90' });
    expect(freeBounds(undefined)).toHaveLength(14);
    expect(freeBounds(undefined)).not.toContainEqual({ metric: 'latency', statistic: 'mean' });
  });
});

describe('words', () => {
  it('are none, presets or own values', () => {
    expect(wordsMode(undefined)).toBe('none');
    expect(wordsMode({ preset: 'default' })).toBe('preset');
    expect(wordsMode({ tp: 1 })).toBe('custom');
    expect(listOf(1)).toEqual([1]);
    expect(toggled([4, 1], 2, [1, 2, 4])).toEqual([1, 2, 4]);
    expect(toggled([1, 3], 1, [1, 2, 4])).toEqual([3]);
  });
});

describe('secrets', () => {
  it('are known by their marks', () => {
    const document = {
      description: '***',
      engine: { env: { HF_TOKEN: '***', PROXY: 'http://***@host', A: '1' } },
      benchmark: { dataset_url: 'https://***@host/x' },
    };
    expect(marksIn(document).map(dotted)).toEqual([
      'engine.env.HF_TOKEN',
      'engine.env.PROXY',
      'benchmark.dataset_url',
    ]);
  });
});
