/** Finds what is searched for in a line. */
import type { Range } from './text';

export interface Search {
  text: string;
  isRegex: boolean;
  isCaseSensitive: boolean;
}

export interface Matcher {
  test(line: string): boolean;
  /** Where it is, so many times at most. */
  ranges(line: string, most: number): Range[];
}

/** What finds this, nothing where nothing is searched for, or why it cannot be understood. */
export function matcherOf(search: Search): Matcher | { error: string } | null {
  const { text, isRegex, isCaseSensitive } = search;
  if (text === '') return null;
  const source = isRegex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  let found: RegExp;
  try {
    found = new RegExp(source, isCaseSensitive ? 'g' : 'gi');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { error: message.replace(/^Invalid regular expression: /, '') };
  }
  const once = new RegExp(source, isCaseSensitive ? '' : 'i');
  const isExact = !isRegex && isCaseSensitive;
  return {
    test: (line) => (isExact ? line.includes(text) : once.test(line)),
    ranges(line, most) {
      const out: Range[] = [];
      found.lastIndex = 0;
      for (let hit = found.exec(line); hit && out.length < most; hit = found.exec(line)) {
        // What matches nothing would match for ever.
        if (hit[0] === '') found.lastIndex += 1;
        else out.push([hit.index, hit.index + hit[0].length]);
      }
      return out;
    },
  };
}
