/** What stands behind the question mark of an address: plain text, as a person would write it. */

export type Search = Record<string, string | undefined>;

/** `?a=b&c=d` as texts. */
export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

/** Texts and numbers as `?a=b&c=d`; what is empty or absent is left out. */
export function stringifySearch(search: Record<string, unknown>): string {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== '') out.set(name, String(value));
  }
  const text = out.toString().replaceAll('%2C', ',').replaceAll('%3A', ':');
  return text === '' ? '' : `?${text}`;
}

/** A whole number of at least `least`, or nothing. */
export function asNumber(value: unknown, least = 1): number | undefined {
  const number = typeof value === 'number' ? value : Number(String(value ?? ''));
  return value !== '' && value !== undefined && Number.isInteger(number) && number >= least
    ? number
    : undefined;
}

/** One of the words that are allowed, or nothing. */
export function asWord<Word extends string>(value: unknown, words: readonly Word[]): Word | undefined {
  return words.find((word) => word === value);
}

/** A text that is not empty, or nothing. */
export function asText(value: unknown): string | undefined {
  const text = value === undefined || value === null ? '' : String(value);
  return text === '' ? undefined : text;
}
