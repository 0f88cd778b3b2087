/** The frame of a page: its title, what can be done with it, and its content. */
import { type ReactNode, useEffect } from 'react';
import { cx } from '@/lib/cx';

const NAME = 'Inference Autotuner';

/** Names the browser's tab. */
export function usePageTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? `${title} · ${NAME}` : NAME;
  }, [title]);
}

export interface PageProps {
  title: string;
  /** Shown beside the title. */
  badge?: ReactNode;
  /** Where the page is: links that lead up. */
  trail?: ReactNode;
  description?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Uses the whole width and height, for logs. */
  isWide?: boolean;
}

export function Page({ title, badge, trail, description, actions, children, isWide = false }: PageProps) {
  usePageTitle(title);
  return (
    <div className={cx('mx-auto w-full px-4 py-5 sm:px-6 lg:px-8', isWide ? 'max-w-none' : 'max-w-[1500px]')}>
      {trail && (
        <nav aria-label="Breadcrumb" className="mb-1 flex flex-wrap items-center gap-1 text-muted text-xs">
          {trail}
        </nav>
      )}
      <header className="mb-5 flex flex-wrap items-start justify-between gap-x-4 gap-y-3">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-2.5">
            <h1 className="truncate font-semibold text-xl tracking-tight">{title}</h1>
            {badge}
          </div>
          {description && <p className="mt-0.5 max-w-3xl text-muted">{description}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
