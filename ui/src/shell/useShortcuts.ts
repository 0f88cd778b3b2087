/** Keys that work on every page, where nobody is typing. */
import { useEffect } from 'react';
import { isFreeKey } from '@/lib/keyboard';
import { href } from '@/lib/navigate';
import { setTheme } from '@/lib/theme';
import { GROUPS } from './navigation';
import type { Overlay } from './overlays';

/** How long after `g` its second key is waited for. */
const WAIT = 1_200;

const GO = new Map(
  GROUPS.flatMap(({ destinations }) => destinations).flatMap(({ shortcut, href }) =>
    shortcut ? [[shortcut, href] as const] : [],
  ),
);

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('main [data-search]');
  field?.focus();
  field?.select();
  return field !== null;
}

export function useShortcuts(open: (overlay: Overlay) => void, isEnabled: boolean): void {
  useEffect(() => {
    if (!isEnabled) return;
    let wentAt = Number.NEGATIVE_INFINITY;
    const pressed = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        open('palette');
        return;
      }
      if (!isFreeKey(event)) return;
      const isSecond = event.timeStamp - wentAt < WAIT;
      wentAt = Number.NEGATIVE_INFINITY;
      const goal = isSecond ? GO.get(event.key) : undefined;
      if (goal) window.location.hash = goal;
      else if (event.key === 'g') wentAt = event.timeStamp;
      else if (event.key === '?') open('keys');
      else if (event.key === '/') {
        if (!focusSearch()) open('palette');
      } else if (event.key === 'n') window.location.hash = href.newTask();
      else if (event.key === '\\')
        setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [open, isEnabled]);
}
