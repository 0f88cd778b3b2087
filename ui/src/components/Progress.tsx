/** How far something is. */
import { cx } from '@/lib/cx';

export function ProgressBar({
  value,
  label,
  tone = 'bg-accent',
  className,
}: {
  /** Of a hundred; nothing where nobody knows how far it is. */
  value: number | undefined;
  label: string;
  tone?: string;
  className?: string;
}) {
  const percent = value === undefined ? undefined : Math.max(0, Math.min(100, value));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent === undefined ? undefined : Math.round(percent)}
      className={cx('h-1.5 w-full overflow-hidden rounded-full bg-line', className)}
    >
      <div
        className={cx(
          'h-full rounded-full transition-[width] duration-300',
          tone,
          percent === undefined && 'animate-pulse opacity-60',
        )}
        style={{ width: `${percent ?? 100}%` }}
      />
    </div>
  );
}
