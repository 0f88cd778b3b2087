/** A few figures as a line, without axes: whether it rises or falls, nothing more. */
import { useId } from 'react';
import { cx } from '@/lib/cx';

const [WIDTH, HEIGHT] = [100, 24];

/** Points of the line; what is not known interrupts it. */
export function sparkPath(
  values: readonly (number | null)[],
  least: number,
  most: number,
  width = WIDTH,
  height = HEIGHT,
): string {
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  const range = most - least || 1;
  let isDown = false;
  return values
    .map((value, index) => {
      if (value === null || !Number.isFinite(value)) {
        isDown = false;
        return '';
      }
      const y = height - 1 - ((value - least) / range) * (height - 2);
      const word = isDown ? 'L' : 'M';
      isDown = true;
      return `${word}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}

export function Sparkline({
  values,
  label,
  least = 0,
  most,
  slots,
  className,
}: {
  values: readonly (number | null)[];
  /** Its accessible name. */
  label: string;
  least?: number;
  /** What reaches the top; else the largest does. */
  most?: number;
  /** How many figures fill the width: fewer stand at its end. */
  slots?: number;
  className?: string;
}) {
  const id = useId();
  const known = values.filter((value): value is number => value !== null && Number.isFinite(value));
  if (known.length < 2) return <span aria-hidden className={cx('block', className)} />;
  const top = most ?? Math.max(...known) * 1.08;
  const empty = Math.max(0, (slots ?? 0) - values.length);
  const line = sparkPath([...Array<null>(empty).fill(null), ...values], least, top);
  const start = (empty / (values.length + empty - 1)) * WIDTH;
  const isWhole = known.length === values.length;
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className={cx('block text-accent', className)}
    >
      {isWhole && (
        <>
          <linearGradient id={id} x1="0" y1="0" x2="0" y2="1">
            <stop offset="0" stopColor="currentColor" stopOpacity="0.28" />
            <stop offset="1" stopColor="currentColor" stopOpacity="0.02" />
          </linearGradient>
          <path d={`${line}L${WIDTH} ${HEIGHT}L${start} ${HEIGHT}Z`} fill={`url(#${id})`} />
        </>
      )}
      <path
        d={line}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinejoin="round"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
