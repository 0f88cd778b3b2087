/** How far something is. */
import { cx } from '@/lib/cx';

export function ProgressBar({
  value,
  label,
  tone = 'bg-accent',
  className,
}: {
  value: number;
  label: string;
  tone?: string;
  className?: string;
}) {
  const percent = Math.max(0, Math.min(100, value));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(percent)}
      className={cx('h-1.5 w-full overflow-hidden rounded-full bg-line', className)}
    >
      <div
        className={cx('h-full rounded-full transition-[width] duration-300', tone)}
        style={{ width: `${percent}%` }}
      />
    </div>
  );
}
