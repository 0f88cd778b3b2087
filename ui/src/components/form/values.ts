/**
 * Values as they are typed: `8` is a number, `true` a switch, `null` leaves a flag out, all else is
 * text. Text that would be read as something else stands in quotes, and quoted text stays text.
 */
import { isObject, type Json } from './json';

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A number that is written as one and can be kept as one, or nothing. */
export function numberOf(text: string): number | undefined {
  const written = text.trim().replace(/^(-?)\./, '$10.');
  if (!NUMBER.test(written)) return undefined;
  const value = Number(written);
  const isWhole = /^-?\d+$/.test(written);
  return !Number.isFinite(value) || (isWhole && !Number.isSafeInteger(value)) ? undefined : value;
}

function unquoted(text: string): string | undefined {
  if (text.length < 2) return undefined;
  if (text.startsWith('"') && text.endsWith('"')) {
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === 'string' ? value : undefined;
    } catch {
      return undefined;
    }
  }
  const isSingle = text.startsWith("'") && text.endsWith("'");
  return isSingle ? text.slice(1, -1).replaceAll("''", "'") : undefined;
}

/** The value that a text stands for. */
export function parseValue(typed: string): null | boolean | number | string {
  const text = typed.trim();
  if (text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  return numberOf(text) ?? unquoted(text) ?? text;
}

/** How a value is written so that reading it gives the same value. */
export function writeValue(value: Json): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const isPlain = value !== '' && parseValue(value) === value && splitValues(value)[0] === value;
  return isPlain ? value : JSON.stringify(value);
}

export type ValueKind = 'null' | 'boolean' | 'number' | 'text' | 'json';

export function kindOf(value: Json): ValueKind {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return 'number';
  return Array.isArray(value) || isObject(value) ? 'json' : 'text';
}

const OPENS: Record<string, string> = { '{': '}', '[': ']', '(': ')' };

/** The parts of a list as it is typed: split at commas and line ends, not inside quotes or brackets. */
export function splitValues(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quote = '';
  const open: string[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index] as string;
    if (quote !== '') {
      if (letter === '\\' && quote === '"') {
        part += letter + (text[index + 1] ?? '');
        index += 1;
        continue;
      }
      if (letter === quote) quote = '';
    } else if ((letter === '"' || letter === "'") && (part.trim() === '' || open.length > 0)) quote = letter;
    else if (OPENS[letter]) open.push(OPENS[letter]);
    else if (letter === open.at(-1)) open.pop();
    else if ((letter === ',' && open.length === 0) || letter === '\n') {
      parts.push(part);
      part = '';
      continue;
    }
    part += letter;
  }
  parts.push(part);
  return parts.map((each) => each.trim()).filter((each) => each !== '');
}

/** Whether a text waits for its closing quote or bracket, so that a comma belongs to it. */
export function isOpen(text: string): boolean {
  return splitValues(`${text},0`).length === 1 && text.trim() !== '';
}
