/** What a load test tells beside its means while it runs: the spread of TTFT, and failures by class. */
import type { TFunction } from 'i18next';
import { useTranslation } from 'react-i18next';
import { number } from '@/lib/format';
import { withUnit } from '@/lib/units';

/** `p50 41 ms · p99 180 ms`; nothing before the first answer. */
export function ttftSpread(
  t: TFunction,
  live: { ttft_p50?: number | null | undefined; ttft_p99?: number | null | undefined },
): string | undefined {
  const { ttft_p50: p50, ttft_p99: p99 } = live;
  if (typeof p50 !== 'number' || typeof p99 !== 'number') return undefined;
  return t('dashboard.ttftSpread', { p50: withUnit('seconds', p50), p99: withUnit('seconds', p99) });
}

/** Classes in which requests failed, the most frequent first. */
export function FailuresByClass({
  errors,
  className,
}: {
  errors: Readonly<Record<string, number>> | undefined;
  className: string;
}) {
  const { t } = useTranslation();
  const classes = Object.entries(errors ?? {}).sort(([, one], [, other]) => other - one);
  if (classes.length === 0) return null;
  return (
    <p className={`num text-bad text-xs ${className}`}>
      {classes.map(([name, count]) => (
        <span key={name} className="mr-3 whitespace-nowrap">
          {t(`dashboard.failure.${/^[0-9]+$/.test(name) ? 'status' : name}`, {
            status: name,
            defaultValue: name,
          })}{' '}
          × {number(count, 6)}
        </span>
      ))}
    </p>
  );
}
