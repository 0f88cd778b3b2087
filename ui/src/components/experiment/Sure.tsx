/** Where a figure lies, beside the figure. */
import { useTranslation } from 'react-i18next';
import { Tip } from '@/components/Tip';
import { cx } from '@/lib/cx';
import { percent } from '@/lib/format';
import type { MetricKind } from '@/lib/units';
import { halfWidth, type Interval, intervalText } from './worth';

/** From where to where, as a small line of its own. */
export function IntervalLine({
  kind,
  interval,
  className,
}: {
  kind: MetricKind;
  interval: Interval | null | undefined;
  className?: string;
}) {
  const { t } = useTranslation();
  if (!interval) return null;
  return (
    <span
      title={t('results.sure.interval')}
      className={cx('num block whitespace-nowrap font-normal text-2xs text-muted', className)}
    >
      <span className="sr-only">{t('results.sure.interval')}: </span>
      {intervalText(kind, interval)}
    </span>
  );
}

/** By how much it may be off, where there is no room for more. */
export function PlusMinus({
  kind,
  value,
  interval,
}: {
  kind: MetricKind;
  value: number | null | undefined;
  interval: Interval | null;
}) {
  const { t } = useTranslation();
  const share = halfWidth(value, interval);
  if (share === null || !interval) return null;
  return (
    <Tip text={t('results.sure.within', { interval: intervalText(kind, interval) })}>
      <span className="num ml-1 font-normal text-2xs text-muted">±{percent(share, share < 0.1 ? 1 : 0)}</span>
    </Tip>
  );
}
