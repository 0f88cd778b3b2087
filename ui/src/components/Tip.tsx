/** A hint that appears when a thing is pointed at or focused. It never holds what is said nowhere else. */
import { Tooltip } from '@base-ui/react/tooltip';
import type { ReactElement, ReactNode } from 'react';

/** How a hint looks. */
export const TIP_POPUP =
  'z-50 max-w-xs rounded-md border border-line bg-raised px-2 py-1 text-xs text-fg shadow-pop transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0';

export function Tip({
  text,
  children,
  side = 'top',
}: {
  text: ReactNode;
  children: ReactElement;
  side?: 'top' | 'right' | 'bottom' | 'left';
}) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} />
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6} side={side} className="z-50">
          <Tooltip.Popup className={TIP_POPUP}>{text}</Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
