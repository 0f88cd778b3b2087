/** Presets: values of parameters that are worth trying, kept, changed, merged and handed around. */
import { useQuery } from '@tanstack/react-query';
import { FileUp, Plus, SlidersHorizontal } from 'lucide-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { useMay } from '@/api/queries/access';
import {
  MERGE_STRATEGIES,
  type Preset,
  presetList,
  useDeletePreset,
  useImportPreset,
} from '@/api/queries/presets';
import { Button } from '@/components/Button';
import { useAsk } from '@/components/Dialog';
import { SearchInput } from '@/components/Input';
import { Page } from '@/components/Page';
import { Select } from '@/components/Select';
import { Empty, Failed, Skeleton } from '@/components/States';
import { useAddress } from '@/lib/address';
import { notifyDone, notifyFailure } from '@/lib/notify';
import { asWord } from '@/lib/search';
import { draftOf, EMPTY } from './draft';
import { categoriesOf, freeName, idsOf, matching } from './filter';
import { MergePreview } from './MergePreview';
import { PresetCard } from './PresetCard';
import { PresetDialog } from './PresetDialog';
import { SelectionBar } from './SelectionBar';

export function PresetsPage() {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const mayOperate = useMay('operator');
  const ask = useAsk();
  const remove = useDeletePreset();
  const { data, error, isPending, refetch } = useQuery(presetList());
  const presets = data ?? [];
  const shown = matching(presets, address);
  const selected = idsOf(address.selected).filter((id) => presets.some((preset) => preset.id === id));
  const select = (ids: number[]) => change({ selected: ids.join(','), merge: undefined });
  const isFiltered = Boolean(address.q || address.category || address.runtime);
  const runtimes = [...new Set(presets.map(({ runtime }) => runtime ?? 'any'))].sort();

  const drop = async (preset: Preset) => {
    const yes = await ask({
      title: t('presetsPage.delete.title', { name: preset.name }),
      text: t('presetsPage.delete.text'),
      confirm: t('action.delete'),
      isDangerous: true,
    });
    if (!yes) return;
    remove.mutate(preset.id, {
      onSuccess: () => notifyDone(t('presetsPage.delete.done', { name: preset.name })),
      onError: (error) => notifyFailure(t('presetsPage.delete.failed', { name: preset.name }), error),
    });
  };

  return (
    <Page
      title={t('nav.presets')}
      description={t('presetsPage.what')}
      actions={
        mayOperate && (
          <>
            <ImportButton />
            <Button kind="primary" icon={Plus} onClick={() => change({ edit: 'new' }, true)}>
              {t('presetsPage.create')}
            </Button>
          </>
        )
      }
    >
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <SearchInput
          value={address.q ?? ''}
          onChange={(q) => change({ q })}
          label={t('presetsPage.search')}
          className="w-full sm:w-72"
        />
        <Select
          label={t('presetsPage.runtime')}
          value={address.runtime ?? ''}
          onChange={(runtime) => change({ runtime })}
          options={[
            { value: '', label: t('presetsPage.allRuntimes') },
            ...runtimes.map((value) => ({
              value,
              label: value === 'any' ? t('presetsPage.anyRuntime') : value,
            })),
          ]}
        />
        <Select
          label={t('presetsPage.category')}
          value={address.category ?? ''}
          onChange={(category) => change({ category })}
          options={[
            { value: '', label: t('presetsPage.allCategories') },
            ...categoriesOf(presets).map((value) => ({ value, label: value })),
          ]}
        />
      </div>
      {isPending ? (
        <div aria-busy className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
          {[1, 2, 3].map((one) => (
            <Skeleton key={one} className="h-48 w-full" />
          ))}
        </div>
      ) : error && !data ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : shown.length === 0 ? (
        <Empty
          icon={SlidersHorizontal}
          title={isFiltered ? t('list.nothingFound') : t('presetsPage.empty')}
          text={isFiltered ? undefined : t('presetsPage.emptyText')}
          className="card"
        >
          {isFiltered && (
            <Button onClick={() => change({ q: undefined, category: undefined, runtime: undefined })}>
              {t('list.clearFilters')}
            </Button>
          )}
        </Empty>
      ) : (
        <div className="grid gap-4 md:grid-cols-2 2xl:grid-cols-3">
          {shown.map((preset) => (
            <PresetCard
              key={preset.id}
              preset={preset}
              mayOperate={mayOperate}
              isSelected={selected.includes(preset.id)}
              onSelect={(isOn) =>
                select(isOn ? [...selected, preset.id] : selected.filter((id) => id !== preset.id))
              }
              onEdit={() => change({ edit: preset.id }, true)}
              onDuplicate={() => change({ edit: 'new', of: preset.id }, true)}
              onDelete={() => void drop(preset)}
            />
          ))}
        </div>
      )}
      {selected.length > 0 && (
        <SelectionBar
          ids={selected}
          mayOperate={mayOperate}
          onMerge={() => change({ merge: 'union' }, true)}
          onClear={() => select([])}
        />
      )}
      <MergePreview
        presets={selected.flatMap((id) => presets.find((preset) => preset.id === id) ?? [])}
        strategy={selected.length > 1 ? asWord(address.merge, MERGE_STRATEGIES) : undefined}
        onStrategy={(merge) => change({ merge })}
        onClose={() => change({ merge: undefined })}
        mayOperate={mayOperate}
      />
      {data && mayOperate && <Edited presets={data} />}
    </Page>
  );
}

/** The preset that the address says is being written. */
function Edited({ presets }: { presets: readonly Preset[] }) {
  const { t } = useTranslation();
  const [{ edit, of }, change] = useAddress();
  if (!edit) return null;
  const wanted = presets.find(({ id }) => String(id) === (edit === 'new' ? of : edit));
  if (edit !== 'new' && (!wanted || wanted.is_system)) return null;
  const taken = presets.map(({ name }) => name);
  const initial = !wanted
    ? EMPTY
    : edit === 'new'
      ? draftOf(wanted, freeName(t('presetsPage.copyOf', { name: wanted.name }), taken))
      : draftOf(wanted);
  return (
    <PresetDialog
      key={`${edit}-${of}`}
      id={edit === 'new' ? undefined : wanted?.id}
      initial={initial}
      categories={categoriesOf(presets)}
      onClose={() => change({ edit: undefined, of: undefined })}
    />
  );
}

function ImportButton() {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  const load = useImportPreset();
  const take = async (files: File[]) => {
    for (const file of files) {
      try {
        const { name } = await load.mutateAsync(file);
        notifyDone(t('presetsPage.imported', { name }));
      } catch (error) {
        const problems = error instanceof ApiError ? error.problems : [];
        const lines = problems.map(({ path, message }) => `${path}: ${message}`).join('\n');
        notifyFailure(
          t('presetsPage.notImported', { name: file.name }),
          lines === '' ? error : new Error(lines),
        );
      }
    }
  };
  return (
    <>
      <input
        ref={field}
        type="file"
        multiple
        accept=".json,application/json"
        className="hidden"
        aria-label={t('presetsPage.import')}
        onChange={({ target }) => {
          void take([...(target.files ?? [])]);
          target.value = '';
        }}
      />
      <Button icon={FileUp} isPending={load.isPending} onClick={() => field.current?.click()}>
        {t('presetsPage.import')}
      </Button>
    </>
  );
}
