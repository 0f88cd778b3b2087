/** How logs are looked at, kept in this browser for all of them. */
import { useSyncExternalStore } from 'react';

export type Stamps = 'off' | 'local' | 'utc' | 'relative';

export interface LogPrefs {
  isWrapped: boolean;
  stamps: Stamps;
  hasNumbers: boolean;
}

const KEY = 'logView';
const USUAL: LogPrefs = { isWrapped: false, stamps: 'off', hasNumbers: false };
const listeners = new Set<() => void>();
let current: LogPrefs | undefined;

function read(): LogPrefs {
  if (current) return current;
  try {
    current = { ...USUAL, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<LogPrefs>) };
  } catch {
    // What cannot be read is as if it had never been chosen.
    current = USUAL;
  }
  return current;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function setLogPrefs(change: Partial<LogPrefs>): void {
  current = { ...read(), ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

export function useLogPrefs(): LogPrefs {
  return useSyncExternalStore(subscribe, read);
}
