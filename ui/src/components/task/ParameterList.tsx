/** A configuration, one parameter a line, to be read and copied. */
import { useTranslation } from 'react-i18next';
import { setting } from '@/lib/format';

/** On one line, to be pasted: `name=value name=value`. */
export function asPairs(parameters: Readonly<Record<string, unknown>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${setting(value)}`)
    .join(' ');
}

export function ParameterList({ parameters }: { parameters: Readonly<Record<string, unknown>> }) {
  const { t } = useTranslation();
  const entries = Object.entries(parameters);
  if (entries.length === 0) return <p className="text-muted">{t('tasks.defaults')}</p>;
  return (
    <dl className="divide-y divide-line">
      {entries.map(([name, value]) => (
        <div key={name} className="flex items-baseline justify-between gap-4 py-1.5 first:pt-0 last:pb-0">
          <dt className="min-w-0 break-words font-mono text-muted text-xs">{name}</dt>
          <dd className="break-all text-right font-medium font-mono text-xs">{setting(value)}</dd>
        </div>
      ))}
    </dl>
  );
}
