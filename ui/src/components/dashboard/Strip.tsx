/** A few figures side by side, each of which may lead somewhere. */
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

export interface StripFigure {
  key: string;
  label: string;
  value: ReactNode;
  hint?: ReactNode;
  href?: string | undefined;
  tone?: string | undefined;
}

export function Strip({ figures, label }: { figures: readonly StripFigure[]; label: string }) {
  return (
    <section
      aria-label={label}
      className="card grid grid-cols-2 gap-px overflow-hidden bg-line sm:grid-cols-3 lg:grid-cols-6"
    >
      {figures.map(({ key, label, value, hint, href, tone }) => {
        const body = (
          <>
            <span className="block truncate text-muted text-xs">{label}</span>
            <span className={cx('num block truncate font-semibold text-xl leading-7', tone)}>{value}</span>
            <span className="num block min-h-4 truncate text-2xs text-muted">{hint}</span>
          </>
        );
        return href ? (
          <a
            key={key}
            href={href}
            className="min-w-0 bg-surface px-4 py-2.5 hover:bg-sunken focus-visible:-outline-offset-2"
          >
            {body}
          </a>
        ) : (
          <div key={key} className="min-w-0 bg-surface px-4 py-2.5">
            {body}
          </div>
        );
      })}
    </section>
  );
}
