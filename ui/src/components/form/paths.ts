/** Places in a document as problems name them: `parameters.max-num-seqs[1]`. */
import { isObject, type Json, type Path } from './json';

/** A place as the service writes it. */
export function dotted(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}

/** Whether a place lies in another, or is it. */
export function isWithin(path: string, parent: string): boolean {
  if (!path.startsWith(parent)) return false;
  const next = path[parent.length];
  return next === undefined || next === '.' || next === '[' || parent === '';
}

/** The field that shows what is wrong at a place: the narrowest that holds it. */
export function fieldOf(path: string, fields: Iterable<string>): string | undefined {
  let best: string | undefined;
  for (const field of fields) {
    if (field !== '' && isWithin(path, field) && (best === undefined || field.length > best.length))
      best = field;
  }
  return best;
}

/** The index behind a field's name, for the third value of a list: `[2]`. */
export function indexBelow(path: string, field: string): number | undefined {
  const found = /^\[(\d+)\]/.exec(path.slice(field.length));
  return isWithin(path, field) && found ? Number(found[1]) : undefined;
}

/**
 * The steps of a written place, along the keys that the document has: a key may hold dots. What the
 * document does not have ends it.
 */
export function resolve(document: Json, path: string): Path {
  const steps: (string | number)[] = [];
  let here: Json | undefined = document;
  let rest = path;
  while (rest !== '') {
    if (Array.isArray(here)) {
      const found = /^\[(\d+)\]\.?/.exec(rest);
      if (!found) break;
      steps.push(Number(found[1]));
      rest = rest.slice(found[0].length);
      here = here[Number(found[1])];
      continue;
    }
    if (!isObject(here)) break;
    const key: string | undefined = Object.keys(here)
      .filter((key) => key !== '' && isWithin(rest, key))
      .sort((one, other) => other.length - one.length)[0];
    if (key === undefined) break;
    steps.push(key);
    rest = rest.slice(key.length).replace(/^\./, '');
    here = here[key];
  }
  return steps;
}
