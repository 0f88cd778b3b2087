/** Which presets are shown, by what is looked for. */
import type { Preset } from '@/api/queries/presets';

export interface PresetFilter {
  q?: string | undefined;
  category?: string | undefined;
  /** `any` for those that are for every engine. */
  runtime?: string | undefined;
}

/** The presets that match; words are looked for in names, descriptions and parameters. */
export function matching(presets: readonly Preset[], { q, category, runtime }: PresetFilter): Preset[] {
  const words = (q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  return presets.filter((preset) => {
    if (category && preset.category !== category) return false;
    if (runtime && (preset.runtime ?? 'any') !== runtime) return false;
    const text = [preset.name, preset.description, preset.category, ...Object.keys(preset.parameters)]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Every category there is, by name. */
export function categoriesOf(presets: readonly Preset[]): string[] {
  return [...new Set(presets.flatMap(({ category }) => category ?? []))].sort((one, other) =>
    one.localeCompare(other),
  );
}

/** Ids in an address. */
export function idsOf(text: string | undefined): number[] {
  return [...new Set((text ?? '').split(',').map(Number))].filter((id) => Number.isInteger(id) && id > 0);
}

/** A name that no preset has yet. */
export function freeName(name: string, taken: readonly string[]): string {
  if (!taken.includes(name)) return name;
  let count = 2;
  while (taken.includes(`${name} ${count}`)) count += 1;
  return `${name} ${count}`;
}
