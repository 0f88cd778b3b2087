/** Presets of values for the engine's parameters: chosen, merged, looked at, and taken over. */
import { useQuery } from '@tanstack/react-query';
import { Layers } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from 'sonner';
import { type MergedPresets, type MergeStrategy, mergedPresets, presetsFor } from '@/api/queries/runtimes';
import { Badge } from '@/components/Badge';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { isObject, type Json, type JsonObject } from '@/components/form/json';
import { isSameFlag } from '@/components/form/parameter';
import { useDocumentStore } from '@/components/form/store';
import { writeValue } from '@/components/form/values';
import { Empty, Failed, SkeletonRows } from '@/components/States';
import { Checkbox, Segmented } from '@/components/Toggle';
import { number } from '@/lib/format';

const STRATEGIES: MergeStrategy[] = ['union', 'intersection', 'last_wins'];

/** The parameters with those of a preset; those that are there already stay or give way. */
export function withPreset(parameters: Json | undefined, preset: JsonObject, replaces: boolean): JsonObject {
  const own = isObject(parameters) ? parameters : {};
  const matching = (name: string) => Object.keys(preset).find((other) => isSameFlag(name, other));
  const kept = Object.entries(own).map(([name, spec]): [string, Json] => {
    const other = matching(name);
    return [name, replaces && other !== undefined ? (preset[other] as Json) : spec];
  });
  const added = Object.entries(preset).filter(
    ([name]) => !Object.keys(own).some((mine) => isSameFlag(mine, name)),
  );
  return Object.fromEntries([...kept, ...added]);
}

export function PresetDialog({
  isOpen,
  onClose,
  runtime,
}: {
  isOpen: boolean;
  onClose: () => void;
  runtime: string;
}) {
  const { t } = useTranslation();
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      width="lg"
      title={t('form.presets.title')}
      description={t('form.presets.about', { runtime })}
    >
      {isOpen && <Body runtime={runtime} onClose={onClose} />}
    </Dialog>
  );
}

function Body({ runtime, onClose }: { runtime: string; onClose: () => void }) {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const [chosen, setChosen] = useState<number[]>([]);
  const [strategy, setStrategy] = useState<MergeStrategy>('union');
  const [replaces, setReplaces] = useState(false);
  const presets = useQuery(presetsFor(runtime));
  const merged = useQuery(mergedPresets(chosen, strategy));
  if (presets.isPending) return <SkeletonRows rows={3} />;
  if (presets.isError) return <Failed error={presets.error} onRetry={() => void presets.refetch()} />;
  if (presets.data.length === 0)
    return <Empty icon={Layers} title={t('form.presets.none', { runtime })} className="py-8" />;
  const apply = (parameters: JsonObject) => {
    const before = store.at(['parameters']);
    store.set(['parameters'], withPreset(before, parameters, replaces));
    const count = Object.keys(parameters).length;
    toast.success(t('form.presets.applied', { count }), {
      position: 'top-center',
      action: {
        label: t('action.undo'),
        onClick: () => store.setOrRemove(['parameters'], before),
      },
    });
    onClose();
  };
  return (
    <div className="space-y-4">
      <ul className="divide-y divide-line rounded-lg border border-line">
        {presets.data.map((preset) => (
          <li key={preset.id} className="flex items-start gap-3 px-3 py-2.5">
            <span className="pt-0.5">
              <Checkbox
                isOn={chosen.includes(preset.id)}
                label={preset.name}
                hideLabel
                onChange={(isOn) =>
                  setChosen(isOn ? [...chosen, preset.id] : chosen.filter((id) => id !== preset.id))
                }
              />
            </span>
            <div className="min-w-0 flex-1">
              <div className="flex flex-wrap items-center gap-2 font-medium text-sm">
                {preset.name}
                {preset.is_system && <Badge>{t('form.presets.system')}</Badge>}
                {chosen.length > 1 && chosen.includes(preset.id) && (
                  <Badge tone="accent">{chosen.indexOf(preset.id) + 1}</Badge>
                )}
              </div>
              {preset.description && <p className="text-muted text-xs">{preset.description}</p>}
              <p className="num mt-0.5 text-faint text-xs">
                {t('form.presets.size', {
                  parameters: Object.keys(preset.parameters).length,
                  combinations: number(preset.combinations, 6),
                })}
              </p>
            </div>
          </li>
        ))}
      </ul>
      <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
        {chosen.length > 1 && (
          <Segmented
            label={t('form.presets.strategy')}
            value={strategy}
            onChange={setStrategy}
            options={STRATEGIES.map((value) => ({ value, label: t(`form.presets.strategies.${value}`) }))}
          />
        )}
        <Checkbox isOn={replaces} label={t('form.presets.replace')} onChange={setReplaces} />
      </div>
      {chosen.length > 0 && merged.isError && <Failed error={merged.error} className="py-6" />}
      {chosen.length > 0 && merged.isPending && <SkeletonRows rows={4} />}
      {chosen.length > 0 && merged.data && <Preview merged={merged.data} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{t('action.cancel')}</Button>
        <Button
          kind="primary"
          disabled={chosen.length === 0 || !merged.data || merged.isPlaceholderData}
          onClick={() => merged.data && apply(merged.data.parameters as JsonObject)}
        >
          {t('form.presets.apply')}
        </Button>
      </div>
    </div>
  );
}

function written(values: readonly unknown[] | null | undefined): string {
  return (values ?? []).map((value) => writeValue(value as Json)).join(', ');
}

function Preview({ merged }: { merged: MergedPresets }) {
  const { t } = useTranslation();
  const conflicts = merged.conflicts ?? [];
  return (
    <div className="space-y-3">
      {conflicts.length > 0 && (
        <div className="rounded-lg bg-warn-soft px-3 py-2 text-xs">
          <p className="font-medium text-warn">{t('form.presets.conflicts', { count: conflicts.length })}</p>
          <ul className="mt-1 space-y-0.5">
            {conflicts.map(({ parameter, message, overridden_by, previous_values, new_values }) => (
              <li key={parameter}>
                <code className="font-mono">{parameter}</code>{' '}
                {message ??
                  t('form.presets.overridden', {
                    preset: overridden_by,
                    before: written(previous_values),
                    after: written(new_values),
                  })}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div className="max-h-64 overflow-auto rounded-lg border border-line">
        <table className="w-full text-xs">
          <caption className="sr-only">{t('form.presets.preview')}</caption>
          <tbody className="divide-y divide-line">
            {Object.entries(merged.parameters).map(([name, values]) => (
              <tr key={name}>
                <th scope="row" className="w-72 px-3 py-1.5 text-left font-mono font-normal">
                  {name}
                </th>
                <td className="px-3 py-1.5 font-mono text-muted">{written(values)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
