/** The values of a parameter: chips, or the ends of a range. */
import { useTranslation } from 'react-i18next';
import type { ParameterInfo } from '@/api/queries/runtimes';
import { Checkbox } from '@/components/Toggle';
import { Chips } from './Chips';
import { NumberBox } from './inputs';
import { at, type Json, put } from './json';
import { isLog, type ParameterKind, valuesOf, valuesPath, withEnd } from './parameter';
import { RawJson } from './RawJson';

export function ParameterValues({
  name,
  kind,
  spec,
  info,
  wrong,
  onChange,
  ...tie
}: {
  name: string;
  kind: ParameterKind;
  spec: Json;
  info: ParameterInfo | undefined;
  wrong: ReadonlySet<number>;
  onChange: (spec: Json) => void;
  'aria-invalid'?: boolean | undefined;
  'aria-describedby'?: string | undefined;
}) {
  const { t } = useTranslation();
  if (kind === 'list') {
    return (
      <Chips
        {...tie}
        label={t('form.parameter.values', { name })}
        placeholder={placeholderOf(info) ?? t('form.parameter.placeholder')}
        values={valuesOf(spec)}
        wrong={wrong}
        onChange={(values) => onChange(put(spec, valuesPath(spec) ?? [], values))}
      />
    );
  }
  if (kind === 'boolean')
    return <p className="flex h-8 items-center gap-1 font-mono text-accent text-xs">false, true</p>;
  if (kind === 'other') {
    return (
      <RawJson
        value={spec}
        label={t('form.parameter.values', { name })}
        onChange={(next) => onChange(next ?? [])}
      />
    );
  }
  const end = (key: 'low' | 'high' | 'step') => (
    // biome-ignore lint/a11y/noLabelWithoutControl: the box inside is the control
    <label className="flex items-center gap-1.5 text-muted text-xs">
      {t(`form.parameter.${key}`)}
      <NumberBox
        value={at(spec, [key])}
        placeholder={key === 'step' ? '1' : undefined}
        onChange={(value) => onChange(withEnd(spec, key, value))}
        className={key === 'step' ? 'w-16' : 'w-24'}
        aria-invalid={tie['aria-invalid']}
        aria-describedby={tie['aria-describedby']}
      />
    </label>
  );
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
      {end('low')}
      {end('high')}
      {kind === 'integer' && end('step')}
      <Checkbox
        isOn={isLog(spec)}
        label={t('form.parameter.log')}
        onChange={(isOn) => onChange(withEnd(spec, 'log', isOn ? true : undefined))}
      />
    </div>
  );
}

function placeholderOf(info: ParameterInfo | undefined): string | undefined {
  if (!info || info.suggested.length === 0) return undefined;
  return info.suggested.map((value) => String(value)).join(', ');
}
