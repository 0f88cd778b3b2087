/** One parameter to tune: its name, what kind of values it has, and the values. */
import { Trash2 } from 'lucide-react';
import { memo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { ParameterInfo } from '@/api/queries/runtimes';
import { Badge } from '@/components/Badge';
import { IconButton } from '@/components/Button';
import { Select } from '@/components/Select';
import type { Suggestion } from '@/components/Suggest';
import { FormField } from './FormField';
import type { Json } from './json';
import { NameBox } from './NameBox';
import { ParameterCondition } from './ParameterCondition';
import { ParameterHints } from './ParameterHints';
import { ParameterValues } from './ParameterValues';
import { isVariable, kindOfSpec, type ParameterKind, toKind, wrongIndex } from './parameter';

const KINDS: ParameterKind[] = ['list', 'integer', 'continuous', 'boolean'];

/** What can be done with rows; the same object all the time, so that a row is drawn for its own sake alone. */
export interface ParameterActions {
  rename: (name: string, next: string) => void;
  change: (name: string, spec: Json) => void;
  remove: (name: string) => void;
  isTaken: (name: string, wanted: string) => boolean;
}

export interface ParameterRowProps {
  name: string;
  spec: Json;
  info: ParameterInfo | undefined;
  suggestions: readonly Suggestion[];
  actions: ParameterActions;
}

export const ParameterRow = memo(function ParameterRow(props: ParameterRowProps) {
  const { name, spec, info, suggestions, actions } = props;
  const onChange = (next: Json) => actions.change(name, next);
  const { t } = useTranslation();
  const kind = kindOfSpec(spec);
  // Whoever looks at another kind and comes back finds what was there.
  const before = useRef<Partial<Record<ParameterKind, Json>>>({});
  const change = (next: ParameterKind) => {
    before.current[kind] = spec;
    onChange(before.current[next] ?? toKind(spec, next));
  };
  const kinds = KINDS.includes(kind) ? KINDS : [...KINDS, kind];
  return (
    <FormField path={['parameters', name]} isGroup label={name} hideLabel>
      {(tie, told) => {
        const wrong = new Set(
          told
            .filter(({ severity }) => severity === 'problem')
            .map(({ path }) => wrongIndex(path, name))
            .filter((index) => index !== undefined),
        );
        return (
          <div className="rounded-lg border border-line bg-surface">
            <div className="flex flex-wrap items-start gap-2 p-2">
              <div className="min-w-0 flex-1 basis-48">
                <NameBox
                  name={name}
                  label={t('form.parameter.name')}
                  suggestions={suggestions}
                  isTaken={(wanted) => actions.isTaken(name, wanted)}
                  onRename={(next) => actions.rename(name, next)}
                />
              </div>
              <Select
                label={t('form.parameter.kind')}
                value={kind}
                onChange={change}
                options={kinds.map((value) => ({
                  value,
                  label: t(`form.parameter.kinds.${value}`),
                  isDisabled: value === 'other',
                }))}
                className="w-32"
              />
              <IconButton
                icon={Trash2}
                label={t('form.parameter.remove', { name })}
                onClick={() => actions.remove(name)}
                className="-ml-1"
              />
              <div className="min-w-0 basis-full">
                <ParameterValues
                  name={name}
                  kind={kind}
                  spec={spec}
                  info={info}
                  wrong={wrong}
                  onChange={onChange}
                  aria-invalid={tie['aria-invalid']}
                  aria-describedby={tie['aria-describedby']}
                />
              </div>
            </div>
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-b-lg border-line border-t bg-sunken/60 px-2.5 py-1.5 text-muted text-xs">
              {isVariable(name) && <Badge tone="info">{t('form.parameter.variable')}</Badge>}
              {info && <ParameterHints info={info} kind={kind} spec={spec} onChange={onChange} />}
              {kind !== 'other' && (
                <ParameterCondition
                  name={name}
                  spec={spec}
                  isInvalid={told.some(({ path }) => path.endsWith('.when'))}
                  onChange={onChange}
                  describedBy={tie['aria-describedby']}
                />
              )}
            </div>
          </div>
        );
      }}
    </FormField>
  );
});
