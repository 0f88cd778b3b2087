/** Rows of an object keep their place on the page when their name is changed. */
import { useCallback, useRef } from 'react';

/** An id for each name, and a way to say that a name is another now. */
export function useRowIds(): { idOf: (name: string) => string; renamed: (from: string, to: string) => void } {
  const ids = useRef(new Map<string, string>());
  const next = useRef(0);
  const idOf = useCallback((name: string) => {
    let id = ids.current.get(name);
    if (id === undefined) {
      next.current += 1;
      id = `row-${next.current}`;
      ids.current.set(name, id);
    }
    return id;
  }, []);
  const renamed = useCallback((from: string, to: string) => {
    const id = ids.current.get(from);
    ids.current.delete(from);
    if (id !== undefined) ids.current.set(to, id);
  }, []);
  return { idOf, renamed };
}
