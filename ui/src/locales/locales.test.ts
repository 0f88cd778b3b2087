import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import en from './en';
import zh from './zh';

type Tree = { [key: string]: string | Tree };

const FORM = /_(zero|one|two|few|many|other)$/;

function flat(tree: Tree, before = ''): Map<string, string> {
  const out = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') out.set(before + key, value);
    else for (const [name, text] of flat(value, `${before}${key}.`)) out.set(name, text);
  }
  return out;
}

/** Keys without the word that says which plural they are, and the plurals that there are of each. */
function byKey(texts: Map<string, string>): Map<string, Set<string>> {
  const out = new Map<string, Set<string>>();
  for (const key of texts.keys()) {
    const form = FORM.exec(key)?.[1];
    const name = key.replace(FORM, '');
    const forms = out.get(name) ?? new Set();
    if (form) forms.add(form);
    out.set(name, forms);
  }
  return out;
}

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* sources(path);
    else if (/\.tsx?$/.test(entry.name) && !/\.test\.|schema\.ts$/.test(entry.name)) yield path;
  }
}

/** Literal keys that sources ask for, with where they do. */
function askedFor(): Map<string, string> {
  const asked = new Map<string, string>();
  for (const path of sources(join(import.meta.dirname, '..'))) {
    const text = readFileSync(path, 'utf8');
    for (const [, key] of text.matchAll(/\bt\(\s*['"`]([\w-]+(?:\.[\w-]+)*)['"`]/g))
      if (key && !asked.has(key)) asked.set(key, path);
  }
  return asked;
}

const texts = { en: flat(en as Tree), zh: flat(zh as Tree) };
const names = { en: byKey(texts.en), zh: byKey(texts.zh) };
const variables = (text: string) => [...text.matchAll(/\{\{\s*(\w+)/g)].map(([, name]) => name ?? '');

describe('texts', () => {
  it('are there for everything that sources ask for', () => {
    const missing = [...askedFor()].filter(([key]) => !names.en.has(key));
    expect(missing).toEqual([]);
  });

  it('are in every language', () => {
    expect([...names.en.keys()].filter((key) => !names.zh.has(key))).toEqual([]);
    expect([...names.zh.keys()].filter((key) => !names.en.has(key))).toEqual([]);
  });

  it.each(['en', 'zh'] as const)('have every plural of %s', (language) => {
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const isCounted = (key: string) => (names.en.get(key)?.size ?? 0) > 0;
    const missing = [...names[language]].filter(
      ([key, forms]) => isCounted(key) && needed.some((form) => !forms.has(form)),
    );
    expect(missing.map(([key]) => key)).toEqual([]);
  });

  it('are nowhere empty', () => {
    for (const language of [texts.en, texts.zh])
      expect([...language].filter(([, text]) => text.trim() === '')).toEqual([]);
  });

  it('say the same things in both languages', () => {
    const used = (language: Map<string, string>) => {
      const out = new Map<string, Set<string>>();
      for (const [key, text] of language) {
        const name = key.replace(FORM, '');
        out.set(name, new Set([...(out.get(name) ?? []), ...variables(text)]));
      }
      return out;
    };
    const [english, chinese] = [used(texts.en), used(texts.zh)];
    const different = [...english].filter(([key, asked]) => {
      const told = chinese.get(key);
      return told && [...asked, ...told].some((name) => !asked.has(name) || !told.has(name));
    });
    expect(different.map(([key]) => key)).toEqual([]);
  });
});
