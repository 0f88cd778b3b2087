/**
 * Asks before what was typed is left. Fragments are followed by the browser itself, so an address may
 * have changed before anybody could ask: whoever stays is led back to it.
 */
import { useBlocker } from '@tanstack/react-router';
import { useCallback, useRef } from 'react';
import type { Search } from '@/lib/search';
import { sourceOf } from './source';

interface Place {
  pathname: string;
  search: unknown;
}

/** Whether two addresses show the same form. */
export function isSameForm(one: Place, other: Place): boolean {
  return (
    one.pathname === other.pathname &&
    sourceOf(one.search as Search).key === sourceOf(other.search as Search).key
  );
}

/** Leads back to an address that the browser has left already. */
function comeBack(address: string, state: unknown): Promise<void> {
  const isByLink = (window.history.state as { __TSR_key?: string } | null)?.__TSR_key === undefined;
  if (!isByLink) {
    // Which way somebody went is not told; another entry of the same address does for both.
    window.history.pushState(state, '', address);
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    window.addEventListener('popstate', () => setTimeout(resolve), { once: true });
    window.history.back();
  });
}

export function useLeaveGuard(
  isDirty: boolean,
  ask: () => Promise<boolean>,
  onLeave: () => void,
): () => void {
  const isFree = useRef(false);
  const here = useRef({ address: window.location.href, state: window.history.state as unknown });
  if (window.location.hash.startsWith('#new-task') || window.location.hash.startsWith('#/new-task'))
    here.current = { address: window.location.href, state: window.history.state };
  const shouldBlockFn = useCallback(
    async ({ action, current, next }: { action: string; current: Place; next: Place }) => {
      if (isFree.current || isSameForm(current, next)) return false;
      const { address, state } = here.current;
      if (await ask()) {
        isFree.current = true;
        onLeave();
        return false;
      }
      if (action === 'PUSH' || action === 'REPLACE') return true;
      await comeBack(address, state);
      return false;
    },
    [ask, onLeave],
  );
  useBlocker({
    shouldBlockFn: shouldBlockFn as never,
    enableBeforeUnload: () => isDirty && !isFree.current,
    disabled: !isDirty,
  });
  return useCallback(() => {
    isFree.current = true;
  }, []);
}
