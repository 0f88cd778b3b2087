/** A button that opens a list of things to do. */
import { Menu as Base } from '@base-ui/react/menu';
import type { LucideIcon } from 'lucide-react';
import type { ReactElement } from 'react';
import { cx } from '@/lib/cx';
import { POPUP_LIST } from './Select';

export interface MenuEntry {
  label: string;
  icon?: LucideIcon;
  onSelect?: () => void;
  /** Leads somewhere instead of doing something. */
  href?: string;
  isDangerous?: boolean;
  isDisabled?: boolean;
  /** A line above it. */
  startsGroup?: boolean;
  hint?: string;
}

const ITEM =
  'flex w-full cursor-default items-center gap-2 rounded-md px-2 py-1.5 text-left outline-none select-none data-disabled:opacity-50 data-highlighted:bg-sunken';

export function Menu({
  trigger,
  entries,
  align = 'end',
}: {
  trigger: ReactElement;
  entries: MenuEntry[];
  align?: 'start' | 'end';
}) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align={align} className="z-50 outline-none">
          <Base.Popup className={cx(POPUP_LIST, 'min-w-44')}>
            {entries.map(
              ({ label, icon: Icon, onSelect, href, isDangerous, isDisabled, startsGroup, hint }) => (
                <div key={label}>
                  {startsGroup && <Base.Separator className="my-1 h-px bg-line" />}
                  <Base.Item
                    disabled={isDisabled ?? false}
                    onClick={onSelect}
                    // biome-ignore lint/a11y/useAnchorContent: the item's children become the link's
                    render={href ? <a href={href} /> : undefined}
                    className={cx(ITEM, isDangerous && 'text-bad')}
                  >
                    {Icon && <Icon aria-hidden className={cx('size-4', !isDangerous && 'text-muted')} />}
                    <span className="flex-1">{label}</span>
                    {hint && <span className="text-faint text-xs">{hint}</span>}
                  </Base.Item>
                </div>
              ),
            )}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
