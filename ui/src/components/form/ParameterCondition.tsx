/** When a parameter is set at all: a condition on others. */
import { X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/components/Button';
import { Input } from '@/components/Input';
import type { Json } from './json';
import { conditionOf, withCondition } from './parameter';

export function ParameterCondition({
  name,
  spec,
  isInvalid,
  onChange,
  describedBy,
}: {
  name: string;
  spec: Json;
  isInvalid: boolean;
  onChange: (spec: Json) => void;
  describedBy?: string | undefined;
}) {
  const { t } = useTranslation();
  const condition = conditionOf(spec);
  const [isAsked, setAsked] = useState(false);
  if (condition === undefined && !isAsked)
    return (
      <Button size="sm" kind="ghost" className="-mx-1.5 text-muted" onClick={() => setAsked(true)}>
        {t('form.parameter.addCondition')}
      </Button>
    );
  return (
    <div className="flex min-w-0 flex-1 basis-64 items-center gap-1.5">
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the box inside is the control */}
      <label className="flex min-w-0 flex-1 items-center gap-1.5 text-muted text-xs">
        <span className="whitespace-nowrap">{t('form.parameter.condition')}</span>
        <Input
          value={condition ?? ''}
          placeholder="{other-parameter} == true"
          autoFocus={isAsked}
          spellCheck={false}
          autoComplete="off"
          className="h-7 flex-1 font-mono text-xs"
          aria-invalid={isInvalid || undefined}
          aria-describedby={describedBy}
          onChange={({ target }) => onChange(withCondition(spec, target.value))}
          onBlur={() => setAsked(false)}
        />
      </label>
      <IconButton
        icon={X}
        label={t('form.parameter.removeCondition', { name })}
        onClick={() => {
          setAsked(false);
          onChange(withCondition(spec, ''));
        }}
      />
    </div>
  );
}
