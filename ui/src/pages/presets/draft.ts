/** A preset while it is being written: rows in an order, with names that may still be empty. */
import type { Problem } from '@/api/client';
import type { Preset, PresetBody } from '@/api/queries/presets';
import type { Json } from '@/components/form/json';

export interface DraftRow {
  id: number;
  name: string;
  values: Json[];
}

export interface Draft {
  name: string;
  description: string;
  category: string;
  /** Empty for any. */
  runtime: string;
  rows: DraftRow[];
  metadata: Preset['metadata'];
}

export const EMPTY: Draft = {
  name: '',
  description: '',
  category: '',
  runtime: '',
  rows: [{ id: 0, name: '', values: [] }],
  metadata: null,
};

/** A draft of what is kept. */
export function draftOf(preset: Preset, name = preset.name): Draft {
  return {
    name,
    description: preset.description ?? '',
    category: preset.category ?? '',
    runtime: preset.runtime ?? '',
    rows: Object.entries(preset.parameters).map(([name, values], id) => ({
      id,
      name,
      values: values as Json[],
    })),
    metadata: preset.metadata,
  };
}

const orNull = (text: string) => (text.trim() === '' ? null : text.trim());

/** What is sent; rows without a name are left out. */
export function bodyOfDraft(draft: Draft): PresetBody {
  const rows = draft.rows.filter(({ name }) => name.trim() !== '');
  return {
    name: draft.name.trim(),
    description: orNull(draft.description),
    category: orNull(draft.category),
    runtime: orNull(draft.runtime),
    parameters: Object.fromEntries(rows.map(({ name, values }) => [name.trim(), values])),
    ...(draft.metadata ? { metadata: draft.metadata as Record<string, never> } : {}),
  };
}

/** How many configurations the values make; nothing where there are none. */
export function combinationsOf(rows: readonly DraftRow[]): number | undefined {
  const counts = rows
    .filter(({ name, values }) => name !== '' && values.length > 0)
    .map(({ values }) => values.length);
  return counts.length === 0 ? undefined : counts.reduce((product, count) => product * count, 1);
}

export interface Told {
  /** By the name of a field: `name`, `category`, `runtime`, `parameters`. */
  fields: Record<string, string>;
  /** By the name of a parameter. */
  rows: Record<string, { text: string; wrong: Set<number> }>;
}

/** Where what the service says belongs. */
export function placed(problems: readonly Problem[]): Told {
  const told: Told = { fields: {}, rows: {} };
  for (const { path, message, hint } of problems) {
    const text = hint ? `${message}: ${hint}` : message;
    const [, name, index] = /^parameters\.(.+?)(?:\[(\d+)\])?$/.exec(path) ?? [];
    if (name === undefined) {
      told.fields[path] = [told.fields[path], text].filter(Boolean).join('; ');
      continue;
    }
    const row = told.rows[name] ?? { text: '', wrong: new Set<number>() };
    row.text = [row.text, text].filter(Boolean).join('; ');
    if (index !== undefined) row.wrong.add(Number(index));
    told.rows[name] = row;
  }
  return told;
}
