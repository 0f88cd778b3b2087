/** A surface with a title. */
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

export function Card({
  title,
  actions,
  children,
  className,
  padded = true,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  padded?: boolean;
}) {
  return (
    <section className={cx('card min-w-0', className)}>
      {(title || actions) && (
        <header className="flex flex-wrap items-center justify-between gap-2 border-line border-b px-4 py-2.5">
          <h2 className="font-semibold text-fg text-sm">{title}</h2>
          {actions && <div className="flex items-center gap-1">{actions}</div>}
        </header>
      )}
      <div className={padded ? 'p-4' : undefined}>{children}</div>
    </section>
  );
}

/** One figure with its name. */
export function Figure({
  label,
  value,
  hint,
  tone,
  className,
}: {
  label: ReactNode;
  value: ReactNode;
  hint?: ReactNode;
  tone?: string;
  className?: string;
}) {
  return (
    <div className={cx('min-w-0', className)}>
      <div className="truncate text-muted text-xs">{label}</div>
      <div className={cx('num truncate font-semibold text-lg leading-7', tone)}>{value}</div>
      {hint && <div className="truncate text-faint text-xs">{hint}</div>}
    </div>
  );
}
