/** A preset, to be written or changed. */
import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { useSavePreset } from '@/api/queries/presets';
import { runtimeParameters } from '@/api/queries/runtimes';
import { systemInfo } from '@/api/queries/system';
import { Button } from '@/components/Button';
import { Dialog, useAsk } from '@/components/Dialog';
import type { Json } from '@/components/form/json';
import { isSameFlag } from '@/components/form/parameter';
import { Field, Input, Textarea } from '@/components/Input';
import { Select } from '@/components/Select';
import { Suggest } from '@/components/Suggest';
import { number } from '@/lib/format';
import { notifyDone, notifyFailure } from '@/lib/notify';
import { bodyOfDraft, combinationsOf, type Draft, type DraftRow, placed } from './draft';
import { PresetRow } from './PresetRow';

/** More than these are offered where one types. */
const MOST_OFFERED = 14;

export interface PresetDialogProps {
  /** Nothing for a new one. */
  id: number | undefined;
  initial: Draft;
  categories: readonly string[];
  onClose: () => void;
}

export function PresetDialog({ id, initial, categories, onClose }: PresetDialogProps) {
  const { t } = useTranslation();
  const ask = useAsk();
  const save = useSavePreset();
  const [draft, setDraft] = useState(initial);
  const info = useQuery(systemInfo);
  const known = useQuery(runtimeParameters(draft.runtime));
  const details = known.data?.details ?? [];
  const told = placed(save.error instanceof ApiError ? save.error.problems : []);
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const changeRow = (which: number, part: Partial<DraftRow>) =>
    change({ rows: draft.rows.map((row) => (row.id === which ? { ...row, ...part } : row)) });
  const add = (name = '', values: Json[] = []) =>
    setDraft((before) => {
      const next = Math.max(-1, ...before.rows.map(({ id }) => id)) + 1;
      // A row that waits for its name is taken before another is made.
      const rest =
        name === '' ? before.rows : before.rows.filter((row) => row.name !== '' || row.values.length > 0);
      return { ...before, rows: [...rest, { id: next, name, values }] };
    });
  const isTaken = (name: string, own: number) =>
    draft.rows.some((row) => row.id !== own && isSameFlag(row.name, name));
  const usual = details.filter(({ name, is_commonly_tuned: isUsual }) => isUsual && !isTaken(name, -1));
  const suggestions = details
    .filter(({ name }) => !isTaken(name, -1))
    .toSorted((one, other) => Number(other.is_commonly_tuned) - Number(one.is_commonly_tuned))
    .map(({ name, help, is_commonly_tuned: isUsual }) => ({
      value: name,
      detail: help,
      group: isUsual ? t('presetsPage.usual') : t('presetsPage.others'),
    }));
  const close = async () => {
    if (save.isPending) return;
    const isChanged = JSON.stringify(bodyOfDraft(draft)) !== JSON.stringify(bodyOfDraft(initial));
    const question = {
      title: t('presetsPage.leave.title'),
      text: t('presetsPage.leave.text'),
      confirm: t('presetsPage.leave.confirm'),
      isDangerous: true,
    };
    if (!isChanged || (await ask(question))) onClose();
  };
  const submit = () =>
    save.mutate(
      { id, body: bodyOfDraft(draft) },
      {
        onSuccess: ({ name }) => {
          notifyDone(t('presetsPage.saved', { name }));
          onClose();
        },
        onError: (error) => {
          if (!(error instanceof ApiError) || error.problems.length === 0)
            notifyFailure(t('presetsPage.notSaved'), error);
        },
      },
    );
  const count = combinationsOf(draft.rows);
  const runtimes = (info.data?.available_runtimes ?? []).filter((runtime) => runtime !== 'custom');
  return (
    <Dialog
      isOpen
      onClose={() => void close()}
      width="lg"
      title={id === undefined ? t('presetsPage.create') : t('presetsPage.editTitle', { name: initial.name })}
      footer={
        <>
          <span className="num mr-auto self-center text-muted text-xs">
            {count !== undefined && t('presetsPage.combinations', { count, text: number(count, 15) })}
          </span>
          <Button onClick={() => void close()}>{t('action.cancel')}</Button>
          <Button kind="primary" isPending={save.isPending} onClick={submit}>
            {t('action.save')}
          </Button>
        </>
      }
    >
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t('presetsPage.name')} isRequired error={told.fields.name}>
          {(tie) => (
            <Input
              {...tie}
              autoFocus
              value={draft.name}
              onChange={({ target }) => change({ name: target.value })}
            />
          )}
        </Field>
        <div className="grid grid-cols-2 gap-3">
          <Field label={t('presetsPage.runtime')} error={told.fields.runtime}>
            {(tie) => (
              <Select
                id={tie.id}
                value={draft.runtime === '' ? 'any' : draft.runtime}
                onChange={(runtime) => change({ runtime: runtime === 'any' ? '' : runtime })}
                options={[
                  { value: 'any', label: t('presetsPage.anyRuntime') },
                  ...runtimes.map((runtime) => ({ value: runtime, label: runtime })),
                ]}
                className="w-full min-w-0"
              />
            )}
          </Field>
          <Field label={t('presetsPage.category')} error={told.fields.category}>
            {(tie) => (
              <Suggest
                {...tie}
                value={draft.category}
                onChange={(category) => change({ category })}
                onPick={(category) => change({ category })}
                suggestions={categories.map((value) => ({ value }))}
              />
            )}
          </Field>
        </div>
        <Field label={t('presetsPage.description')} error={told.fields.description} className="sm:col-span-2">
          {(tie) => (
            <Textarea
              {...tie}
              rows={2}
              value={draft.description}
              onChange={({ target }) => change({ description: target.value })}
            />
          )}
        </Field>
      </div>
      <h3 className="mt-5 mb-2 font-medium text-sm">{t('presetsPage.parametersTitle')}</h3>
      {told.fields.parameters && (
        <p role="alert" className="mb-2 text-bad text-xs">
          {told.fields.parameters}
        </p>
      )}
      <div className="space-y-2">
        {draft.rows.map((row) => (
          <PresetRow
            key={row.id}
            row={row}
            info={details.find(({ name }) => isSameFlag(name, row.name))}
            suggestions={suggestions}
            told={told.rows[row.name]}
            isTaken={(name) => isTaken(name, row.id)}
            onChange={(part) => changeRow(row.id, part)}
            onRemove={() => change({ rows: draft.rows.filter(({ id }) => id !== row.id) })}
          />
        ))}
      </div>
      <Button icon={Plus} onClick={() => add()} className="mt-2">
        {t('presetsPage.add')}
      </Button>
      {usual.length > 0 && (
        <section className="mt-4">
          <h4 className="mb-1.5 text-muted text-xs">{t('presetsPage.usual')}</h4>
          <div className="flex flex-wrap gap-1">
            {usual.slice(0, MOST_OFFERED).map(({ name, suggested }) => (
              <button
                key={name}
                type="button"
                onClick={() => add(name, suggested as Json[])}
                className="inline-flex h-6 items-center gap-1 rounded-md border border-line-strong/50 border-dashed px-1.5 font-mono text-2xs text-muted hover:border-accent hover:text-accent"
              >
                <Plus aria-hidden className="size-3" />
                {name}
              </button>
            ))}
          </div>
        </section>
      )}
    </Dialog>
  );
}
