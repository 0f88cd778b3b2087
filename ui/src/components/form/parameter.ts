/** What a parameter may be: a list of values, a range, or a switch. Its own spelling is kept. */
import { at, isObject, type Json, type Path, put } from './json';
import { indexBelow } from './paths';

export type ParameterKind = 'list' | 'integer' | 'continuous' | 'boolean' | 'other';

const KINDS: Record<string, ParameterKind> = {
  choice: 'list',
  categorical: 'list',
  integer: 'integer',
  int: 'integer',
  continuous: 'continuous',
  float: 'continuous',
  boolean: 'boolean',
  bool: 'boolean',
};

/** What kind of parameter a document's spec is; `other` for what no field can show. */
export function kindOfSpec(spec: Json | undefined): ParameterKind {
  if (Array.isArray(spec)) return 'list';
  if (!isObject(spec)) return 'other';
  const kind = KINDS[String(spec.type)] ?? 'other';
  return kind === 'list' && valuesPath(spec) === undefined ? 'other' : kind;
}

/** Where the values of a list stand inside its spec. */
export function valuesPath(spec: Json | undefined): Path | undefined {
  if (Array.isArray(spec)) return [];
  const key = ['values', 'choices'].find((key) => Array.isArray(at(spec, [key])));
  return key === undefined ? undefined : [key];
}

/** The values of a list. */
export function valuesOf(spec: Json | undefined): Json[] {
  const path = valuesPath(spec);
  const values = path && at(spec, path);
  return Array.isArray(values) ? values : [];
}

function ends(spec: Json | undefined): [number, number] | undefined {
  const numbers = valuesOf(spec).filter((value) => typeof value === 'number');
  const [low, high] = [at(spec, ['low']), at(spec, ['high'])];
  if (typeof low === 'number' && typeof high === 'number') return [low, high];
  return numbers.length > 0 ? [Math.min(...numbers), Math.max(...numbers)] : undefined;
}

/** Values of a range, few enough to be a list. */
function listed(spec: Json): Json[] {
  const range = ends(spec);
  if (!range) return [];
  const [low, high] = range;
  const step = Number(at(spec, ['step']) ?? 1);
  const count = (high - low) / step + 1;
  if (kindOfSpec(spec) === 'integer' && step > 0 && count >= 1 && count <= 16)
    return Array.from({ length: Math.floor(count) }, (_, index) => low + index * step);
  return low === high ? [low] : [low, high];
}

/** The spec of another kind that comes nearest to this one. */
export function toKind(spec: Json, kind: ParameterKind): Json {
  if (kindOfSpec(spec) === kind) return spec;
  return withCondition(ofKind(spec, kind), conditionOf(spec) ?? '');
}

function ofKind(spec: Json, kind: ParameterKind): Json {
  const [low, high] = ends(spec) ?? [1, 2];
  const log: { log?: Json } = at(spec, ['log']) === true ? { log: true } : {};
  switch (kind) {
    case 'integer':
      return { type: 'integer', low: Math.floor(low), high: Math.ceil(high), ...log } as Json;
    case 'continuous':
      return { type: 'continuous', low, high, ...log } as Json;
    case 'boolean':
      return { type: 'boolean' };
    default:
      return kindOfSpec(spec) === 'boolean' ? [false, true] : listed(spec);
  }
}

/** Whether a parameter is a variable of the environment, by its name. */
export function isVariable(name: string): boolean {
  return name.startsWith('env.');
}

/** A flag's name as engines know it: without dashes before it. */
export function plainName(name: string): string {
  return name.replace(/^-+/, '');
}

/** Two spellings of one flag. */
export function isSameFlag(one: string, other: string): boolean {
  const plain = (name: string) => plainName(name).replaceAll('_', '-').toLowerCase();
  return isVariable(one) || isVariable(other) ? one === other : plain(one) === plain(other);
}

/** The index of a value that a problem speaks of. */
export function wrongIndex(path: string, name: string): number | undefined {
  const field = `parameters.${name}`;
  return (
    indexBelow(path, field) ?? indexBelow(path, `${field}.values`) ?? indexBelow(path, `${field}.choices`)
  );
}

/** The spec with another end, step or scale. */
export function withEnd(spec: Json, key: string, value: Json | undefined): Json {
  if (value !== undefined) return put(spec, [key], value);
  return isObject(spec) ? Object.fromEntries(Object.entries(spec).filter(([own]) => own !== key)) : spec;
}

/** The condition under which a parameter is set; nothing where it always is. */
export function conditionOf(spec: Json | undefined): string | undefined {
  const when = at(spec, ['when']);
  return when === undefined ? undefined : String(when);
}

/** The spec with another condition, or with none where the text is empty. */
export function withCondition(spec: Json, text: string): Json {
  if (text !== '') {
    const roomy: Json = Array.isArray(spec) ? { type: 'choice', values: spec } : spec;
    return put(roomy, ['when'], text);
  }
  const rest = withEnd(spec, 'when', undefined);
  // What was written as an object for the condition's sake alone is a plain list again.
  const isBare = isObject(rest) && rest.type === 'choice' && Object.keys(rest).length === 2;
  return isBare && Array.isArray(rest.values) ? rest.values : rest;
}

/** Whether a range has a logarithmic scale. */
export function isLog(spec: Json): boolean {
  return at(spec, ['log']) === true;
}
