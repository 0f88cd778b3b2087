/** One parameter of a preset that is being written: its name, and the values to try. */
import { Trash2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { ParameterInfo } from '@/api/queries/runtimes';
import { IconButton } from '@/components/Button';
import { Chips } from '@/components/form/Chips';
import { NameBox } from '@/components/form/NameBox';
import { ParameterHints } from '@/components/form/ParameterHints';
import type { Suggestion } from '@/components/Suggest';
import type { DraftRow, Told } from './draft';

export interface PresetRowProps {
  row: DraftRow;
  info: ParameterInfo | undefined;
  suggestions: readonly Suggestion[];
  told: Told['rows'][string] | undefined;
  isTaken: (name: string) => boolean;
  onChange: (part: Partial<DraftRow>) => void;
  onRemove: () => void;
}

export function PresetRow({ row, info, suggestions, told, isTaken, onChange, onRemove }: PresetRowProps) {
  const { t } = useTranslation();
  return (
    <div className="rounded-lg border border-line">
      <div className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-2 p-2 sm:grid-cols-[minmax(0,4fr)_minmax(0,7fr)_auto]">
        <div className="min-w-0">
          <NameBox
            name={row.name}
            label={t('presetsPage.parameter')}
            suggestions={suggestions}
            isTaken={isTaken}
            onRename={(name) => onChange({ name })}
          />
        </div>
        <IconButton
          icon={Trash2}
          label={t('presetsPage.removeRow', { name: row.name })}
          onClick={onRemove}
          className="sm:order-last"
        />
        <div className="min-w-0 max-sm:col-span-2">
          <Chips
            values={row.values}
            onChange={(values) => onChange({ values })}
            label={t('presetsPage.valuesOf', { name: row.name })}
            placeholder={t('presetsPage.valuesHint')}
            wrong={told?.wrong}
            aria-invalid={told ? true : undefined}
          />
          {told && (
            <p role="alert" className="mt-1 text-bad text-xs">
              {told.text}
            </p>
          )}
        </div>
      </div>
      {info && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-b-lg border-line border-t bg-sunken/60 px-2.5 py-1.5 text-muted text-xs">
          <ParameterHints
            info={info}
            kind="list"
            spec={row.values}
            onChange={(spec) => Array.isArray(spec) && onChange({ values: spec })}
          />
        </div>
      )}
    </div>
  );
}
