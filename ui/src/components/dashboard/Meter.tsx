/** How much of something is in use. */
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

/** Colours from these shares on. */
const [WARN, BAD] = [85, 95];

export function Meter({
  label,
  percent,
  value,
  isCalm = false,
  children,
  className,
}: {
  label: string;
  /** Nothing where it is not known. */
  percent: number | null | undefined;
  /** What is said beside the label. */
  value: ReactNode;
  /** Being busy is what it is for: it never warns. */
  isCalm?: boolean;
  children?: ReactNode;
  className?: string;
}) {
  const share = percent === null || percent === undefined ? undefined : Math.max(0, Math.min(100, percent));
  const tone =
    isCalm || share === undefined || share < WARN ? 'bg-accent' : share < BAD ? 'bg-warn' : 'bg-bad';
  return (
    <div className={cx('min-w-0', className)}>
      <div className="mb-1 flex items-baseline justify-between gap-2 text-xs">
        <span className="truncate text-muted">{label}</span>
        <span className="num shrink-0 text-fg">{value}</span>
      </div>
      {children}
      {/* biome-ignore lint/a11y/useSemanticElements: what <meter> looks like cannot be told to every browser */}
      <div
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={share === undefined ? 0 : Math.round(share)}
        className="h-1.5 overflow-hidden rounded-full bg-line"
      >
        <div
          className={cx('h-full rounded-full transition-[width] duration-500', tone)}
          style={{ width: `${share ?? 0}%` }}
        />
      </div>
    </div>
  );
}
