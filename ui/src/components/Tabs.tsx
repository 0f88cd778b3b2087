/** Parts of a page, one at a time. Which one is in the address: tabs are links. */
import { useEffect, useRef } from 'react';
import { cx } from '@/lib/cx';

export interface Tab {
  key: string;
  label: string;
  href: string;
  count?: number;
}

export function TabLinks({ tabs, active, label }: { tabs: readonly Tab[]; active: string; label: string }) {
  const nav = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the one that is shown comes into sight, where not all fit
  useEffect(() => {
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [active]);
  return (
    <nav
      ref={nav}
      aria-label={label}
      className="-mx-1 mb-4 flex gap-1 overflow-x-auto border-line border-b px-1"
    >
      {tabs.map(({ key, label: name, href, count }) => (
        <a
          key={key}
          href={href}
          aria-current={key === active ? 'page' : undefined}
          className={cx(
            '-mb-px inline-flex items-center gap-1.5 border-b-2 px-3 py-2 text-sm whitespace-nowrap',
            key === active
              ? 'border-accent font-medium text-fg'
              : 'border-transparent text-muted hover:text-fg',
          )}
        >
          {name}
          {count !== undefined && (
            <span className="num rounded-full bg-sunken px-1.5 text-muted text-xs">{count}</span>
          )}
        </a>
      ))}
    </nav>
  );
}
