/** A task's document, read for people: flat lists, parameters in words, and what two of them differ in. */
import { number, setting } from '@/lib/format';

export type Free = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Free {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Lists of plain values on one line; others as they would be typed. */
export function plain(value: unknown): string {
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object' || item === null))
    return value.map(setting).join(', ');
  return setting(value);
}

/** Everything in an object as path and value; what is absent or empty is left out. */
export function flatten(value: unknown, path = ''): [path: string, text: string][] {
  if (value === null || value === undefined) return [];
  if (isObject(value))
    return Object.entries(value).flatMap(([key, inner]) => flatten(inner, path ? `${path}.${key}` : key));
  if (Array.isArray(value) && value.length === 0) return [];
  return [[path, plain(value)]];
}

export interface SpaceParameter {
  name: string;
  kind: 'list' | 'integer' | 'continuous' | 'boolean' | 'other';
  /** Its values, or its range. */
  text: string;
  /** How many values it can have; nothing where they are endless. */
  count: number | undefined;
  isLog: boolean;
  /** The condition under which it is set, where it is not always. */
  when?: string;
}

/** A parameter of the search space. */
function parameter(name: string, spec: unknown): SpaceParameter {
  const shown = valuesOf(name, spec);
  return isObject(spec) && typeof spec.when === 'string' ? { ...shown, when: spec.when } : shown;
}

function valuesOf(name: string, spec: unknown): SpaceParameter {
  if (Array.isArray(spec)) return { name, kind: 'list', text: plain(spec), count: spec.length, isLog: false };
  if (!isObject(spec)) return { name, kind: 'other', text: setting(spec), count: 1, isLog: false };
  const type = String(spec.type ?? '');
  const values = spec.values ?? spec.choices ?? spec.options;
  if (Array.isArray(values))
    return { name, kind: 'list', text: plain(values), count: values.length, isLog: false };
  const isLog = spec.log === true;
  const [low, high, step] = [spec.low, spec.high, spec.step].map((part) =>
    typeof part === 'number' ? part : undefined,
  );
  const range = `${number(low, 9)} – ${number(high, 9)}`;
  if (type.startsWith('bool')) return { name, kind: 'boolean', text: 'true, false', count: 2, isLog };
  if (type.startsWith('int') && low !== undefined && high !== undefined) {
    const text = step && step !== 1 ? `${range} (± ${number(step, 9)})` : range;
    return { name, kind: 'integer', text, count: Math.floor((high - low) / (step ?? 1)) + 1, isLog };
  }
  if (low !== undefined) return { name, kind: 'continuous', text: range, count: undefined, isLog };
  return { name, kind: 'other', text: setting(spec), count: undefined, isLog };
}

export function spaceOf(parameters: unknown): SpaceParameter[] {
  return isObject(parameters) ? Object.entries(parameters).map(([name, spec]) => parameter(name, spec)) : [];
}

export interface Change {
  path: string;
  before: string | undefined;
  after: string | undefined;
}

/** What two documents differ in. */
export function changesBetween(before: unknown, after: unknown): Change[] {
  const [from, to] = [new Map(flatten(before)), new Map(flatten(after))];
  return [...new Set([...from.keys(), ...to.keys()])]
    .filter((path) => from.get(path) !== to.get(path))
    .map((path) => ({ path, before: from.get(path), after: to.get(path) }));
}
