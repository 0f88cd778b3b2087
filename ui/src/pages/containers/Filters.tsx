/** What of the list is shown, and how. */
import { LayoutGrid, Rows3 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { SearchInput } from '@/components/Input';
import { Select } from '@/components/Select';
import { Segmented, Switch } from '@/components/Toggle';
import { type Shown, SORTS, STATES } from './filter';

export type Look = 'table' | 'cards';

export function Filters({
  shown,
  look,
  stopped,
  onChange,
}: {
  shown: Shown;
  look: Look;
  /** How many are stopped. */
  stopped: number;
  onChange: (change: Record<string, string | undefined>) => void;
}) {
  const { t } = useTranslation();
  return (
    <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
      <SearchInput
        label={t('containers.search')}
        value={shown.q}
        onChange={(q) => onChange({ q })}
        className="w-full sm:w-72"
      />
      <Select
        label={t('containers.stateColumn')}
        value={shown.state === '' ? 'all' : shown.state}
        onChange={(state) => onChange({ state: state === 'all' ? undefined : state })}
        options={[
          { value: 'all', label: t('containers.anyState') },
          ...STATES.map((value) => ({ value: value as string, label: t(`containers.state.${value}`) })),
        ]}
      />
      <Switch
        label={t('containers.showStopped', { count: stopped })}
        isOn={shown.hasStopped}
        onChange={(isOn) => onChange({ stopped: isOn ? '1' : undefined, ...(!isOn && { state: undefined }) })}
      />
      <Switch
        label={t('containers.onlyOurs')}
        isOn={shown.onlyOurs}
        onChange={(isOn) => onChange({ owner: isOn ? 'ours' : 'all' })}
      />
      <div className="ml-auto flex items-center gap-2">
        {look === 'cards' && (
          <Select
            label={t('containers.sort')}
            value={shown.sort}
            onChange={(sort) => onChange({ sort, order: undefined })}
            options={SORTS.map((value) => ({ value, label: t(`containers.sortWord.${value}`) }))}
          />
        )}
        <Segmented
          label={t('containers.look')}
          value={look}
          onChange={(value) => onChange({ view: value })}
          options={[
            { value: 'table', label: t('containers.table'), icon: Rows3 },
            { value: 'cards', label: t('containers.cards'), icon: LayoutGrid },
          ]}
          className="max-sm:hidden"
        />
      </div>
    </div>
  );
}
