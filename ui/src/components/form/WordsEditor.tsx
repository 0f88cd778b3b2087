/** Number types, or parallel sizes: none, presets, or own values for each. */
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Segmented } from '@/components/Toggle';
import { cx } from '@/lib/cx';
import { FormField } from './FormField';
import { isObject, type Json, type Path } from './json';
import { dotted } from './paths';
import { useAt, useDocumentStore } from './store';
import { listOf, toggled, type WordsMode, wordsMode } from './words';

/** Values side by side, each in or out. */
function Toggles({
  path,
  name,
  all,
  className,
}: {
  path: Path;
  name: string;
  all: readonly Json[];
  className?: string;
}) {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const value = useAt(path);
  const chosen = listOf(value);
  const shown = [...all, ...chosen.filter((one) => !all.includes(one))];
  return (
    <FormField
      path={path}
      isGroup
      label={t(`form.word.${name}`)}
      help={t(`form.wordHelp.${name}`)}
      className={className}
    >
      {() => (
        <div className="flex flex-wrap gap-1">
          {shown.map((one) => {
            const isChosen = chosen.includes(one);
            return (
              <button
                key={String(one)}
                type="button"
                aria-pressed={isChosen}
                onClick={() => {
                  const next = toggled(chosen, one, all);
                  store.setOrRemove(path, next.length === 0 ? undefined : next);
                }}
                className={cx(
                  'h-6.5 rounded-md border px-2 font-mono text-xs',
                  isChosen
                    ? 'border-accent bg-accent-soft font-medium text-accent'
                    : 'border-line bg-surface text-muted hover:bg-sunken hover:text-fg',
                )}
              >
                {String(one)}
              </button>
            );
          })}
        </div>
      )}
    </FormField>
  );
}

/** Presets as cards to take or leave. */
function PresetCards({ path, presets }: { path: Path; presets: readonly string[] }) {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const chosen = listOf(useAt(path));
  const unknown = chosen.map(String).filter((one) => !presets.includes(one));
  return (
    <FormField path={path} isGroup label={t('form.words.presets')} hideLabel>
      {() => (
        <div className="grid gap-2 sm:grid-cols-2 xl:grid-cols-3">
          {[...presets, ...unknown].map((preset) => {
            const isChosen = chosen.includes(preset);
            return (
              <button
                key={preset}
                type="button"
                aria-pressed={isChosen}
                onClick={() => store.set(path, toggled(chosen, preset, presets))}
                className={cx(
                  'rounded-lg border p-2.5 text-left',
                  isChosen ? 'border-accent bg-accent-soft' : 'border-line bg-surface hover:bg-sunken',
                )}
              >
                <span
                  className={cx('block font-medium font-mono text-xs', isChosen ? 'text-accent' : 'text-fg')}
                >
                  {preset}
                </span>
                <span className="mt-0.5 block text-muted text-xs">
                  {t(`form.preset.${dotted(path).split('.')[0]}.${preset}`, { defaultValue: '' })}
                </span>
              </button>
            );
          })}
        </div>
      )}
    </FormField>
  );
}

export function WordsEditor({
  part,
  presets,
  words,
  first,
}: {
  /** The part of the document: `quant_config`, `parallel_config`. */
  part: string;
  presets: readonly string[];
  words: Record<string, readonly Json[]>;
  /** What own values begin with. */
  first: Json;
}) {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const value = useAt([part]);
  const mode = wordsMode(value);
  // Whoever looks at another way and comes back finds what was there.
  const before = useRef<Partial<Record<WordsMode, Json>>>({});
  const change = (next: WordsMode) => {
    if (next === mode) return;
    if (value !== undefined) before.current[mode] = value;
    if (next === 'none') store.remove([part]);
    else
      store.set(
        [part],
        before.current[next] ?? (next === 'preset' ? { presets: [presets[0] ?? ''] } : first),
      );
  };
  return (
    <div className="space-y-3">
      <Segmented
        label={t(`form.section.${part}`)}
        value={mode}
        onChange={change}
        options={(['none', 'preset', 'custom'] as const).map((own) => ({
          value: own,
          label: t(`form.words.${own}`),
        }))}
      />
      {mode === 'preset' && <PresetCards path={[part, 'presets']} presets={presets} />}
      {mode === 'custom' && isObject(value) && (
        <div className="grid gap-x-6 gap-y-4 md:grid-cols-2">
          {Object.entries(words).map(([name, all]) => (
            <Toggles key={name} path={[part, name]} name={name} all={all} />
          ))}
        </div>
      )}
    </div>
  );
}
