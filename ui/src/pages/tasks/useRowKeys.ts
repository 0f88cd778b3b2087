/** Moves through the rows of a list by keys: j and k, or the arrows while a row has the focus. */
import { type RefObject, useEffect } from 'react';
import { isFreeKey } from '@/lib/keyboard';

/** The links that rows are opened by carry `data-row`, with the id of the row. */
const ROW = '[data-row]';

export function useRowKeys(list: RefObject<HTMLElement | null>, onSelect: (id: number) => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const rows = [...(list.current?.querySelectorAll<HTMLElement>(ROW) ?? [])];
      if (rows.length === 0 || !isFreeKey(event)) return;
      const holder = document.activeElement?.closest('[data-row-frame]');
      const here = rows.findIndex((row) => holder?.contains(row));
      const isArrow = (event.key === 'ArrowDown' || event.key === 'ArrowUp') && here >= 0;
      const step =
        event.key === 'j' || (isArrow && event.key === 'ArrowDown')
          ? 1
          : event.key === 'k' || isArrow
            ? -1
            : 0;
      if (step !== 0) {
        const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : here + step;
        const row = rows[Math.min(rows.length - 1, Math.max(0, next))];
        row?.focus();
        row?.scrollIntoView({ block: 'nearest' });
      } else if (event.key === 'x' && here >= 0) onSelect(Number(rows[here]?.dataset.row));
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [list, onSelect]);
}
