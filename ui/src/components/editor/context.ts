/** Where a cursor is in a text that is still being written: which part of the document, at a key or at a value. */
import type { Path } from '@/components/form/json';

export interface CursorContext {
  /** The object or list that the cursor is in; with the key where it is at a value. */
  path: Path;
  isKey: boolean;
  /** How much was typed of the word, before the cursor. */
  typed: string;
}

interface Frame {
  kind: '{' | '[';
  key?: string;
  index: number;
  /** Behind the colon. */
  isValue: boolean;
}

/** The context at the end of a text in braces and brackets, as JSON and YAML's flow style have it. */
export function flowContext(text: string): (CursorContext & { depth: number }) | undefined {
  const frames: Frame[] = [];
  let word = '';
  let quote = '';
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index] as string;
    const top = frames.at(-1);
    if (quote !== '') {
      if (letter === '\\') {
        word += letter + (text[index + 1] ?? '');
        index += 1;
      } else if (letter === quote) quote = '';
      else word += letter;
    } else if ((letter === '"' || letter === "'") && word.trim() === '') {
      quote = letter;
      word = '';
    } else if (letter === '{' || letter === '[') {
      frames.push({ kind: letter, index: 0, isValue: false });
      word = '';
    } else if (letter === '}' || letter === ']') {
      frames.pop();
      word = '';
    } else if (
      letter === ':' &&
      top?.kind === '{' &&
      !top.isValue &&
      /^[\s,}]?$/.test(text[index + 1] ?? '')
    ) {
      top.key = word.trim();
      top.isValue = true;
      word = '';
    } else if (letter === ':' && top?.kind === '{' && !top.isValue && text[index - 1] === '"') {
      top.key = word.trim();
      top.isValue = true;
      word = '';
    } else if (letter === ',') {
      if (top) {
        top.index += 1;
        top.isValue = false;
        top.key = undefined;
      }
      word = '';
    } else word += letter;
  }
  if (frames.length === 0) return undefined;
  const path: (string | number)[] = [];
  for (const frame of frames) {
    if (frame.kind === '[') path.push(frame.index);
    else if (frame.isValue && frame.key !== undefined) path.push(frame.key);
  }
  const top = frames.at(-1);
  return {
    path,
    isKey: top?.kind === '{' && !top.isValue,
    typed: word.trimStart(),
    depth: frames.length,
  };
}

const KEY = /^(\s*)((?:-\s+)*)("[^"]*"|'[^']*'|[^\s#"'{[\]}&*!|>%@`,-][^#]*?|-[^\s#][^#]*?)\s*:(?:\s+(.*))?$/;

function keyOf(line: string): { indent: number; key: string; rest: string } | undefined {
  const found = KEY.exec(line);
  if (!found) return undefined;
  const [, space = '', dashes = '', key = '', rest = ''] = found;
  return { indent: space.length + dashes.length, key: key.replace(/^["']|["']$/g, ''), rest };
}

/** The context at the end of a text in YAML's block style. */
export function yamlContext(before: string): CursorContext {
  const lines = before.split('\n');
  const current = lines.at(-1) ?? '';
  const own = keyOf(current);
  const isValue = own !== undefined && /:\s/.test(current);
  const dashes = /^(\s*)((?:-\s+)*)/.exec(current);
  const indent = own && isValue ? own.indent : (dashes?.[0].length ?? 0);
  const path: (string | number)[] = [];
  let limit = indent;
  if (dashes?.[2]) {
    path.unshift(0);
    limit = (dashes[1]?.length ?? 0) + 1;
  }
  for (let index = lines.length - 2; index >= 0 && limit > 0; index -= 1) {
    const line = lines[index] ?? '';
    if (line.trim() === '' || line.trim().startsWith('#')) continue;
    const parent = keyOf(line);
    const dash = /^(\s*)-\s/.exec(line);
    if (parent && parent.indent < limit) {
      path.unshift(parent.key);
      limit = parent.indent;
      if (dash && (dash[1]?.length ?? 0) < limit) {
        path.unshift(0);
        limit = (dash[1]?.length ?? 0) + 1;
      }
    } else if (dash && (dash[1]?.length ?? 0) < limit && parent?.indent === limit) {
      path.unshift(0);
      limit = (dash[1]?.length ?? 0) + 1;
    } else if (!parent && line.search(/\S/) < limit && !dash) limit = line.search(/\S/);
  }
  if (own && isValue) {
    const value = own.rest.trimStart();
    const flow = flowContext(value);
    if (flow) return { path: [...path, own.key, ...flow.path], isKey: flow.isKey, typed: flow.typed };
    return { path: [...path, own.key], isKey: false, typed: value.replace(/^["']/, '').trimEnd() };
  }
  return { path, isKey: true, typed: current.slice(indent).replace(/^["']/, '') };
}
