import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flowContext, yamlContext } from './context';
import { descriptionAt, keysAt, type Schema, wordsAt } from './schema';
import { formatOf, keyAt, placeIn, readText, tasksOf, writeText } from './text';

const YAML = `task_name: a # first
parameters:
  max-num-seqs: [8, 16]
  env.A: [x]
benchmark:
  traffic_scenarios:
    - D(1,2)
    - X(1)
`;

describe('a text', () => {
  it('tells where it cannot be read', () => {
    const { documents, errors } = readText('a: 1\nb: [1\nc: 2\n', 'yaml');
    expect(documents).toEqual([]);
    expect(errors[0]?.line).toBeGreaterThan(1);
    expect(readText('a: 1\na: 2\n', 'yaml').errors[0]?.line).toBe(2);
    expect(readText('{"a": 1,\n "b": }', 'json').errors[0]).toMatchObject({ line: 2 });
    expect(readText('{"a": 1, "a": 2}', 'json').errors).toHaveLength(1);
    expect(readText('{"a":\t1}', 'json').errors).toEqual([]);
  });

  it('reads words as words', () => {
    expect(readText('a: [on, off, yes, 0777, 4bit, 2.5.1, true, null]', 'yaml').documents).toEqual([
      { a: ['on', 'off', 'yes', '0777', '4bit', '2.5.1', true, null] },
    ]);
    expect(readText('a: [0x10, 0b11, -0b11, 0o17, .5, 1., +5, 1e3, 1_000, 1:30]', 'yaml').documents).toEqual([
      { a: [16, 3, -3, 15, 0.5, 1, 5, 1000, '1_000', '1:30'] },
    ]);
    expect(readText('a: [12345678901234567890, 1e999, .inf]', 'yaml').documents).toEqual([
      { a: ['12345678901234567890', '1e999', '.inf'] },
    ]);
    for (const word of ['0777', '0b11', '1.', 'true', '~', '0x1', '8', 'on', '.5', ''])
      expect(readText(writeText({ word }, 'yaml'), 'yaml').documents).toEqual([{ word }]);
  });

  it('may hold several documents', () => {
    expect(tasksOf(readText('a: 1\n---\nb: 2\n', 'yaml').documents)).toEqual([{ a: 1 }, { b: 2 }]);
    expect(tasksOf([{ tasks: [{ a: 1 }, { b: 2 }] }])).toHaveLength(2);
    expect(tasksOf([[{ a: 1 }]])).toEqual([{ a: 1 }]);
    expect(tasksOf(readText('', 'yaml').documents)).toEqual([]);
  });

  it('is written for people', () => {
    expect(writeText({ a: [1, 2], parameters: { x: { type: 'integer', low: 1 } }, t: '8' }, 'yaml')).toBe(
      'a: [ 1, 2 ]\nparameters:\n  x: { type: integer, low: 1 }\nt: "8"\n',
    );
  });

  it('has a format', () => {
    expect(formatOf('{"a": 1}')).toBe('json');
    expect(formatOf('{a: 1}')).toBe('yaml');
    expect(formatOf('a: 1', 'x.json')).toBe('json');
    expect(formatOf('{}', 'x.yml')).toBe('yaml');
  });

  it('is marked where something stands', () => {
    const marked = (path: (string | number)[]) => {
      const place = placeIn(YAML, path);
      return place && YAML.slice(place.from, place.to);
    };
    expect(marked(['task_name'])).toBe('a');
    expect(marked(['parameters', 'max-num-seqs', 1])).toBe('16');
    expect(marked(['benchmark', 'traffic_scenarios', 1])).toBe('X(1)');
    expect(marked(['parameters'])).toBe('parameters');
    expect(marked(['parameters', 'env.A'])).toBe('env.A');
    expect(marked(['nope'])).toBeUndefined();
  });

  it('tells the key at an offset', () => {
    expect(keyAt(YAML, YAML.indexOf('env.A') + 2)?.path).toEqual(['parameters', 'env.A']);
    expect(keyAt('{"a": {"b": 1}}', 8)?.path).toEqual(['a', 'b']);
    expect(keyAt(YAML, YAML.indexOf('16'))).toBeUndefined();
  });
});

describe('a cursor', () => {
  it.each([
    ['opt', [], true, 'opt'],
    ['a: 1\noptimization:\n  str', ['optimization'], true, 'str'],
    ['optimization:\n  strategy: gr', ['optimization', 'strategy'], false, 'gr'],
    ['optimization:\n  strategy: ', ['optimization', 'strategy'], false, ''],
    ['a:\n  b:\n    - c: 1\n      d', ['a', 'b', 0], true, 'd'],
    ['a:\n  - x', ['a', 0], true, 'x'],
    ['slo: { ttft: { thr', ['slo', 'ttft'], true, 'thr'],
    ['optimization: { strategy: ra', ['optimization', 'strategy'], false, 'ra'],
    ['a:\n  b: 1\n\n# c\nmod', [], true, 'mod'],
    ['parameters:\n  env.A: [x]\n  max', ['parameters'], true, 'max'],
  ])('in YAML: %j', (text, path, isKey, typed) => {
    expect(yamlContext(text)).toMatchObject({ path, isKey, typed });
  });

  it.each([
    ['{"opt', [], true, 'opt'],
    ['{"optimization": {"strategy": "gr', ['optimization', 'strategy'], false, 'gr'],
    ['{"a": [1, {"b', ['a', 1], true, 'b'],
    ['{"a": {"x": 1}, "b": tr', ['b'], false, 'tr'],
    ['{"a":{"b', ['a'], true, 'b'],
  ])('in JSON: %j', (text, path, isKey, typed) => {
    expect(flowContext(text)).toMatchObject({ path, isKey, typed });
  });
});

describe('the schema of task documents', () => {
  const { components } = JSON.parse(readFileSync('../docs/openapi.json', 'utf8')) as {
    components: { schemas: Record<string, Schema> };
  };
  const root: Schema = { ...components.schemas.TaskDocument, $defs: components.schemas };

  it('tells keys, words and what they mean', () => {
    const keys = keysAt(root, []).map(({ text }) => text);
    expect(keys).toContain('task_name');
    expect(keysAt(root, ['benchmark']).map(({ text }) => text)).toContain('num_concurrency');
    expect(keysAt(root, ['slo', 'ttft', 'p90']).map(({ text }) => text)).toContain('threshold');
    expect(keysAt(root, ['parameters', 'x']).map(({ text }) => text)).toEqual(
      expect.arrayContaining(['type', 'low', 'high', 'values']),
    );
    expect(wordsAt(root, ['optimization', 'strategy']).map(({ text }) => text)).toEqual([
      'grid_search',
      'random_search',
      'sobol',
      'tpe',
      'bayesian',
    ]);
    expect(wordsAt(root, ['benchmark', 'dataset_deduplicate']).map(({ text }) => text)).toEqual([
      'true',
      'false',
    ]);
    expect(wordsAt(root, ['parameters', 'x', 'type']).length).toBeGreaterThan(5);
    expect(descriptionAt(root, ['benchmark', 'max_time_per_iteration'])).toContain('seconds');
    expect(descriptionAt(root, ['optimization', 'strategy'])).toContain('try next');
    expect(descriptionAt(root, ['parameters', 'x'])).toBeUndefined();
  });
});
