/** Whether a page is looked at. A browser opens few connections to one host, over all of its tabs. */
import { useEffect, useState } from 'react';

/** How long after a page was hidden its place among them is given up. */
export const HIDDEN = 30_000;

/** Whether the page can be seen, or could a moment ago. */
export function useIsSeen(): boolean {
  const [isSeen, setSeen] = useState(true);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (!document.hidden) setSeen(true);
      else timer = setTimeout(() => setSeen(false), HIDDEN);
    };
    look();
    document.addEventListener('visibilitychange', look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  return isSeen;
}
