/** What the address says, read and changed. What is looked at is in the address and nowhere else. */
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import type { Search } from './search';

/** What stands behind the question mark, and a way to change some of it. Empty texts go. */
export function useAddress(): [
  Search,
  (change: Record<string, string | number | undefined>, keepHistory?: boolean) => void,
] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = useCallback(
    (part: Record<string, string | number | undefined>, keepHistory = false) => {
      void navigate({
        to: '.',
        search: ((before: Search) => {
          const after: Record<string, string | undefined> = { ...before };
          for (const [name, value] of Object.entries(part))
            after[name] = value === undefined || value === '' ? undefined : String(value);
          return after;
        }) as never,
        replace: !keepHistory,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return [search, change];
}

/** A part of the path. */
export function usePathPart(name: string): string | undefined {
  return (useParams({ strict: false }) as Record<string, string | undefined>)[name];
}

/** Leads to an address as `href` of navigate.ts writes it. */
export function useGo(): (href: string, options?: { replace?: boolean }) => void {
  return useCallback((href: string, { replace = false } = {}) => {
    if (replace) window.location.replace(href);
    else window.location.hash = href;
  }, []);
}
