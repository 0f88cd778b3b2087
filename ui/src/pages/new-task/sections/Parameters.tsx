/** What is tuned: parameters of the engine with the values to try, and conditions on them. */
import { useQuery } from '@tanstack/react-query';
import { Layers, SlidersHorizontal } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from 'sonner';
import { type ParameterInfo, runtimeParameters } from '@/api/queries/runtimes';
import { Button } from '@/components/Button';
import { FormField } from '@/components/form/FormField';
import { asTyped } from '@/components/form/inputs';
import { isObject, type Json } from '@/components/form/json';
import { type ParameterActions, ParameterRow } from '@/components/form/ParameterRow';
import { isSameFlag, isVariable, plainName } from '@/components/form/parameter';
import { Section } from '@/components/form/Section';
import { useAt, useDocumentStore } from '@/components/form/store';
import { TextRows } from '@/components/form/TextRows';
import { useRowIds } from '@/components/form/useRowIds';
import { Suggest, type Suggestion } from '@/components/Suggest';
import { PresetDialog } from '../PresetDialog';

const PARAMETERS = ['parameters'] as const;
const RUNTIME = ['base_runtime'] as const;

/** The engine that a document's word means, as far as the form needs to know. */
export function engineOf(runtime: string, known: readonly string[]): string {
  return known.find((name) => runtime === name || runtime.startsWith(`${name}-`)) ?? runtime;
}

const ENGINES = ['vllm', 'sglang', 'tensorrt-llm', 'llamacpp', 'sim', 'custom'];

/** What is known of the parameters of the chosen engine. */
export function useKnownParameters(): { infos: readonly ParameterInfo[]; runtime: string } {
  const runtime = engineOf(asTyped(useAt(RUNTIME)), ENGINES);
  const { data } = useQuery(runtimeParameters(runtime));
  return { infos: data?.details ?? [], runtime };
}

/** What a parameter that was just added begins with. */
export function firstSpec(info: ParameterInfo | undefined): Json {
  if (!info) return [];
  if (info.type === 'switch' || info.type === 'on/off') {
    if (info.suggested.length > 0) return [...(info.suggested as Json[])].sort();
    return [false, true];
  }
  return info.suggested as Json[];
}

export function ParametersSection() {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const value = useAt(PARAMETERS);
  const entries = isObject(value) ? Object.entries(value) : [];
  const names = entries.map(([name]) => name);
  const { infos, runtime } = useKnownParameters();
  const { idOf, renamed } = useRowIds();
  const [arePresetsOpen, setPresetsOpen] = useState(false);
  const byName = useMemo(() => new Map(infos.map((info) => [info.name, info])), [infos]);
  const infoOf = useCallback(
    (name: string) => byName.get(plainName(name).replaceAll('_', '-')) ?? byName.get(name),
    [byName],
  );
  const suggestions = useMemo(
    () =>
      infos
        .map(
          (info): Suggestion => ({
            value: info.name,
            group: info.is_commonly_tuned ? t('form.parameter.common') : t('form.parameter.others'),
            detail: info.help,
            badge: (
              <span className="text-faint text-xs">
                {t(`form.parameter.type.${info.type}`, { defaultValue: info.type })}
              </span>
            ),
          }),
        )
        .toSorted(
          (one, other) =>
            Number(byName.get(other.value)?.is_commonly_tuned) -
            Number(byName.get(one.value)?.is_commonly_tuned),
        ),
    [infos, byName, t],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: only other names make others free
  const free = useMemo(
    () => suggestions.filter(({ value: name }) => !names.some((own) => isSameFlag(own, name))),
    [suggestions, names.join('\n')],
  );
  const common = free.filter(({ value: name }) => byName.get(name)?.is_commonly_tuned);
  const actions = useMemo((): ParameterActions => {
    const all = () => {
      const here = store.at(PARAMETERS);
      return isObject(here) ? Object.keys(here) : [];
    };
    return {
      rename: (name, next) => {
        renamed(name, next);
        store.rename(PARAMETERS, name, next);
      },
      change: (name, spec) => store.set(['parameters', name], spec),
      isTaken: (name, wanted) => all().some((own) => own !== name && isSameFlag(own, wanted)),
      remove: (name) => {
        const index = all().indexOf(name);
        const spec = store.at(['parameters', name]);
        store.remove(['parameters', name]);
        toast(t('form.parameter.removed', { name }), {
          position: 'top-center',
          action: {
            label: t('action.undo'),
            onClick: () => spec !== undefined && store.insert(PARAMETERS, index, name, spec),
          },
        });
      },
    };
  }, [store, renamed, t]);
  const add = (name: string) => {
    if (names.some((own) => isSameFlag(own, name))) return;
    store.set(['parameters', name], firstSpec(infoOf(name)));
    focusRow(name);
  };
  return (
    <Section
      name="parameters"
      icon={SlidersHorizontal}
      actions={
        <Button size="sm" icon={Layers} onClick={() => setPresetsOpen(true)}>
          {t('form.presets.open')}
        </Button>
      }
    >
      <FormField path={PARAMETERS} isGroup label={t('form.section.parameters')} hideLabel>
        {() => (
          <div className="space-y-2">
            {entries.map(([name, spec]) => (
              <ParameterRow
                key={idOf(name)}
                name={name}
                spec={spec}
                info={infoOf(name)}
                suggestions={free}
                actions={actions}
              />
            ))}
            {entries.length === 0 && <p className="text-muted">{t('form.parameter.empty')}</p>}
            <AddParameter free={free} names={names} onAdd={add} runtime={runtime} />
            {common.length > 0 && (
              <div className="flex flex-wrap items-center gap-1">
                <span className="text-muted text-xs">{t('form.parameter.usual')}</span>
                {common.slice(0, 10).map(({ value: name, detail }) => (
                  <button
                    key={name}
                    type="button"
                    title={typeof detail === 'string' ? detail : undefined}
                    aria-label={t('form.parameter.addNamed', { name })}
                    onClick={() => add(name)}
                    className="h-6 rounded-md border border-line bg-surface px-1.5 font-mono text-2xs text-muted hover:border-accent hover:text-accent"
                  >
                    {name}
                  </button>
                ))}
              </div>
            )}
          </div>
        )}
      </FormField>
      <div className="mt-5 border-line border-t pt-4">
        <TextRows
          path={['constraints']}
          label={t('form.field.constraints')}
          help={t('form.help.constraints')}
          placeholder={constraintExample(names)}
          itemLabel={(number) => t('form.constraint.row', { number })}
          addLabel={t('form.constraint.add')}
        />
      </div>
      <PresetDialog isOpen={arePresetsOpen} onClose={() => setPresetsOpen(false)} runtime={runtime} />
    </Section>
  );
}

function AddParameter({
  free,
  names,
  runtime,
  onAdd,
}: {
  free: readonly Suggestion[];
  names: readonly string[];
  runtime: string;
  onAdd: (name: string) => void;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const isThere = names.some((own) => isSameFlag(own, typed.trim()));
  return (
    <div className="max-w-xl">
      <Suggest
        value={typed}
        onChange={setTyped}
        onPick={(name) => {
          setTyped('');
          onAdd(name);
        }}
        suggestions={free}
        label={t('form.parameter.add')}
        placeholder={t('form.parameter.addPlaceholder')}
        empty={
          isThere
            ? t('form.nameTaken', { name: typed.trim() })
            : isVariable(typed)
              ? t('form.parameter.enterVariable', { name: typed.trim() })
              : t('form.parameter.enterUnknown', { name: typed.trim(), runtime })
        }
      />
    </div>
  );
}

function constraintExample(names: readonly string[]): string {
  const [one = 'max-num-batched-tokens', other = 'max-num-seqs'] = names;
  return `{${one}} >= {${other}}`;
}

/** The values of a parameter get the focus, once its row is there. */
function focusRow(name: string): void {
  requestAnimationFrame(() => {
    const row = [...document.querySelectorAll<HTMLElement>('[data-field]')].find(
      ({ dataset }) => dataset.field === `parameters.${name}`,
    );
    row?.querySelector<HTMLElement>('[data-first]')?.focus();
  });
}
