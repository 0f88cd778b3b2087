/** The parts that tables of things with a state are made of. */
import { ArrowDown, ArrowUp } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

export function Cell({ children, className }: { children: ReactNode; className?: string }) {
  return <td className={cx('px-3 py-2', className)}>{children}</td>;
}

/** A column's head; with `onSort` it is a button that says by `order` how the column is sorted. */
export function Head({
  label,
  sortLabel,
  order,
  onSort,
}: {
  label: string;
  sortLabel?: string;
  order?: 'asc' | 'desc' | undefined;
  onSort?: () => void;
}) {
  const Arrow = order === 'desc' ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={order ? (order === 'asc' ? 'ascending' : 'descending') : undefined}
      className="px-3 py-2 font-medium whitespace-nowrap"
    >
      {onSort ? (
        <button
          type="button"
          aria-label={sortLabel}
          onClick={onSort}
          className="inline-flex items-center gap-1 hover:text-fg"
        >
          {label}
          <Arrow aria-hidden className={cx('size-3', !order && 'opacity-0')} />
        </button>
      ) : (
        label
      )}
    </th>
  );
}
