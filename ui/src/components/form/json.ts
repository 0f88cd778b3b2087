/** A tree of JSON values, changed by copying: what is not touched stays the same, to the last key. */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}
export type Path = readonly (string | number)[];

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function has(tree: JsonObject, key: string): boolean {
  return Object.hasOwn(tree, key);
}

/** What stands at a place; `undefined` where there is nothing. */
export function at(tree: Json | undefined, path: Path): Json | undefined {
  let here = tree;
  for (const step of path) {
    if (Array.isArray(here) && typeof step === 'number') here = here[step];
    else if (isObject(here) && has(here, String(step))) here = here[String(step)];
    else return undefined;
  }
  return here;
}

/** The tree with a value at a place. What is missing on the way there is made. */
export function put(tree: Json | undefined, path: Path, value: Json): Json {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (typeof step === 'number') {
    const list = Array.isArray(tree) ? [...tree] : [];
    list[step] = put(list[step], rest, value);
    return list;
  }
  const object = isObject(tree) ? tree : {};
  const inner = put(has(object, step) ? object[step] : undefined, rest, value);
  // A key such as __proto__ is a key like every other.
  return has(object, step)
    ? Object.fromEntries(Object.entries(object).map(([key, old]) => [key, key === step ? inner : old]))
    : Object.fromEntries([...Object.entries(object), [step, inner]]);
}

/**
 * The tree without what stands at a place. Objects that are empty by that go too, up to those that
 * have to be there.
 */
export function drop(tree: Json, path: Path, keep: ReadonlySet<string> = new Set()): Json {
  const [step, ...rest] = path;
  if (step === undefined) return tree;
  if (Array.isArray(tree) && typeof step === 'number') {
    if (rest.length === 0) return tree.filter((_, index) => index !== step);
    return tree.map((value, index) => (index === step ? drop(value, rest, keep) : value));
  }
  if (!isObject(tree) || typeof step !== 'string' || !has(tree, step)) return tree;
  const old = tree[step] as Json;
  const inner = rest.length === 0 ? undefined : drop(old, rest, keep);
  const isEmpty = isObject(inner) && Object.keys(inner).length === 0 && inner !== old && !keep.has(step);
  if (inner === undefined || isEmpty)
    return Object.fromEntries(Object.entries(tree).filter(([key]) => key !== step));
  return inner === old ? tree : put(tree, [step], inner);
}

/** The object with one key spelt another way, in its old place. */
export function rename(object: JsonObject, from: string, to: string): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key === from ? to : key, value]));
}

/** The object with an entry at a place; one of this name that is there already is replaced where it is. */
export function insert(object: JsonObject, index: number, key: string, value: Json): JsonObject {
  if (has(object, key)) return put(object, [key], value) as JsonObject;
  return Object.fromEntries(Object.entries(object).toSpliced(index, 0, [key, value]));
}

/** Whether two trees say the same; the order of keys says nothing, except of those named in `ordered`. */
export function same(one: Json | undefined, other: Json | undefined, ordered = new Set<string>()): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((value, index) => same(value, other[index], ordered));
  if (!isObject(one) || !isObject(other)) return false;
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  return (
    keys.length === others.length &&
    keys.every(
      (key) =>
        has(other, key) &&
        same(one[key], other[key], ordered) &&
        (!ordered.has(key) ||
          JSON.stringify(Object.keys(one[key] ?? {})) === JSON.stringify(Object.keys(other[key] ?? {}))),
    )
  );
}
