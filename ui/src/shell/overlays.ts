/** What can be open above every page: the command palette, and the help on keys. */
import { createContext, useContext } from 'react';

export type Overlay = 'palette' | 'keys';

export const OverlayContext = createContext<{ open: (overlay: Overlay) => void }>({ open: () => {} });

export function useOverlays() {
  return useContext(OverlayContext);
}
