/** Free objects of the API, read with care. */
export type Free = Record<string, unknown>;

/** An object, or an empty one. */
export function asObject(value: unknown): Free {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Free) : {};
}

/** A number that is one. */
export function asFinite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
