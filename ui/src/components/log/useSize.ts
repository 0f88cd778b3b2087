/** How large something is drawn. */
import { type RefObject, useLayoutEffect, useState } from 'react';

export interface Size {
  width: number;
  height: number;
  /** Width of a character of its text. */
  character: number;
}

const UNKNOWN: Size = { width: 0, height: 0, character: 7.2 };

/** The width of a character, measured on many. */
function measured(element: HTMLElement): number {
  const probe = document.createElement('span');
  probe.textContent = '0'.repeat(100);
  probe.className = 'absolute invisible whitespace-pre';
  element.append(probe);
  const { width } = probe.getBoundingClientRect();
  probe.remove();
  return width > 0 ? width / 100 : UNKNOWN.character;
}

export function useSize(ref: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState(UNKNOWN);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const look = () =>
      setSize((before) => {
        const now = {
          width: element.clientWidth,
          height: element.clientHeight,
          character: measured(element),
        };
        return before.width === now.width &&
          before.height === now.height &&
          before.character === now.character
          ? before
          : now;
      });
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    // Characters have their width when their font is there.
    document.fonts?.addEventListener('loadingdone', look);
    return () => {
      observer.disconnect();
      document.fonts?.removeEventListener('loadingdone', look);
    };
  }, [ref]);
  return size;
}
