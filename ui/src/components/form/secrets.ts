/** Marks that the service shows in place of secrets. Sent back for the same task, they stand for what is kept. */
import { isObject, type Json, type Path } from './json';

const HIDDEN = '***';

/** Whether a value is such a mark: of a variable, or of who logs in, in an address. */
export function isMark(value: Json | undefined): boolean {
  return value === HIDDEN || (typeof value === 'string' && value.includes(`://${HIDDEN}@`));
}

/** Every mark in a document that stands for a secret. Elsewhere stars are stars. */
export function marksIn(document: Json, path: Path = []): Path[] {
  if (Array.isArray(document)) return document.flatMap((value, index) => marksIn(value, [...path, index]));
  if (isObject(document))
    return Object.entries(document).flatMap(([key, value]) => marksIn(value, [...path, key]));
  if (document === HIDDEN) return path[0] === 'engine' && path[1] === 'env' ? [path] : [];
  return isMark(document) ? [path] : [];
}
