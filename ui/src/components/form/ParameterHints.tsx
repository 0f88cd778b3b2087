/** What is known of a parameter, and the values that are usually tried, one press away. */
import { Plus } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { ParameterInfo } from '@/api/queries/runtimes';
import type { Json } from './json';
import { put } from './json';
import { type ParameterKind, valuesOf, valuesPath } from './parameter';
import { writeValue } from './values';

/** What is usually tried and is not in the list yet. */
export function suggestedFor(info: ParameterInfo, spec: Json): Json[] {
  const there = new Set(valuesOf(spec).map((value) => JSON.stringify(value)));
  const usual = (info.suggested.length > 0 ? info.suggested : info.choices) as Json[];
  return usual.filter((value) => !there.has(JSON.stringify(value))).slice(0, 12);
}

export function ParameterHints({
  info,
  kind,
  spec,
  onChange,
}: {
  info: ParameterInfo;
  kind: ParameterKind;
  spec: Json;
  onChange: (spec: Json) => void;
}) {
  const { t } = useTranslation();
  const suggested = kind === 'list' ? suggestedFor(info, spec) : [];
  const add = (values: Json[]) => onChange(put(spec, valuesPath(spec) ?? [], [...valuesOf(spec), ...values]));
  return (
    <>
      <span className="min-w-0 flex-1 basis-56">
        {info.help}
        {info.default && (
          <span className="text-faint"> · {t('form.parameter.default', { value: info.default })}</span>
        )}
        {info.limits && kind !== 'boolean' && <span className="text-faint"> · {shortened(info.limits)}</span>}
      </span>
      {suggested.length > 0 && (
        <span className="flex flex-wrap items-center gap-1">
          {suggested.map((value) => (
            <button
              key={JSON.stringify(value)}
              type="button"
              aria-label={t('form.parameter.addValue', { value: writeValue(value) })}
              onClick={() => add([value])}
              className="inline-flex h-5.5 max-w-48 items-center gap-0.5 rounded-md border border-line-strong/50 border-dashed px-1.5 font-mono text-2xs text-muted hover:border-accent hover:text-accent"
            >
              <Plus aria-hidden className="size-2.5 shrink-0" />
              <span className="truncate">{writeValue(value)}</span>
            </button>
          ))}
          {suggested.length > 1 && (
            <button
              type="button"
              onClick={() => add(suggested)}
              className="h-5.5 rounded-md px-1.5 text-2xs text-accent hover:bg-accent-soft"
            >
              {t('form.parameter.addAll')}
            </button>
          )}
        </span>
      )}
    </>
  );
}

function shortened(limits: string): string {
  return limits.length > 70 ? `${limits.slice(0, 68)}…` : limits;
}
