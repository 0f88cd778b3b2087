/** A field to type in that offers what is known. Anything else can be typed as well. */
import { Autocomplete } from '@base-ui/react/autocomplete';
import { type ReactNode, type Ref, useRef } from 'react';
import { cx } from '@/lib/cx';
import { INPUT } from './Input';
import { POPUP_LIST } from './Select';

export interface Suggestion {
  value: string;
  /** Its heading in the list; those of one group stand together. */
  group?: string;
  detail?: ReactNode;
  /** Beside its name. */
  badge?: ReactNode;
}

export interface SuggestProps {
  value: string;
  onChange: (value: string) => void;
  /** One was picked, or the text was confirmed with Enter. */
  onPick: (value: string) => void;
  onLeave?: () => void;
  suggestions: readonly Suggestion[];
  label?: string;
  placeholder?: string;
  /** Said where nothing matches. */
  empty?: ReactNode;
  id?: string;
  className?: string;
  inputRef?: Ref<HTMLInputElement>;
  'aria-invalid'?: boolean | undefined;
  'aria-describedby'?: string | undefined;
}

/** How many are offered at once. */
const LIMIT = 80;

interface Group {
  value: string;
  items: Suggestion[];
}

function grouped(suggestions: readonly Suggestion[]): Group[] {
  const groups = new Map<string, Suggestion[]>();
  for (const suggestion of suggestions) {
    const group = suggestion.group ?? '';
    groups.set(group, [...(groups.get(group) ?? []), suggestion]);
  }
  return [...groups].map(([value, items]) => ({ value, items }));
}

export function Suggest({
  value,
  onChange,
  onPick,
  onLeave,
  suggestions,
  label,
  placeholder,
  empty,
  id,
  className,
  inputRef,
  ...rest
}: SuggestProps) {
  const highlighted = useRef<Suggestion | undefined>(undefined);
  return (
    <Autocomplete.Root
      items={grouped(suggestions)}
      value={value}
      limit={LIMIT}
      openOnInputClick
      itemToStringValue={(item: Suggestion) => item.value}
      onItemHighlighted={(item) => {
        highlighted.current = item as Suggestion | undefined;
      }}
      onValueChange={(next, { reason }) => (reason === 'item-press' ? onPick(next) : onChange(next))}
    >
      <Autocomplete.Input
        id={id}
        ref={inputRef}
        aria-label={label}
        aria-invalid={rest['aria-invalid']}
        aria-describedby={rest['aria-describedby']}
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        onBlur={onLeave}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.ctrlKey || event.metaKey || highlighted.current) return;
          event.preventDefault();
          if (value.trim() !== '') onPick(value.trim());
        }}
        className={cx(INPUT, 'h-8', className)}
      />
      <Autocomplete.Portal>
        <Autocomplete.Positioner sideOffset={4} align="start" className="z-50 outline-none">
          <Autocomplete.Popup
            className={cx(
              POPUP_LIST,
              'w-[max(var(--anchor-width),min(26rem,calc(100vw-2rem)))] max-w-[var(--available-width)]',
              'has-data-empty:not-has-[[data-said]]:hidden',
            )}
          >
            <Autocomplete.Empty>
              {empty && (
                <div data-said className="px-2 py-2 text-muted text-xs">
                  {empty}
                </div>
              )}
            </Autocomplete.Empty>
            <Autocomplete.List>
              {(group: Group) => (
                <Autocomplete.Group key={group.value} items={group.items}>
                  {group.value !== '' && (
                    <Autocomplete.GroupLabel className="px-2 pt-2 pb-1 font-medium text-2xs text-faint uppercase tracking-wider">
                      {group.value}
                    </Autocomplete.GroupLabel>
                  )}
                  <Autocomplete.Collection>
                    {(item: Suggestion) => (
                      <Autocomplete.Item
                        key={item.value}
                        value={item}
                        className="block cursor-default rounded-md px-2 py-1.5 outline-none select-none data-highlighted:bg-sunken"
                      >
                        <span className="flex items-center gap-2">
                          <span className="min-w-0 flex-1 truncate font-mono text-xs">{item.value}</span>
                          {item.badge}
                        </span>
                        {item.detail && (
                          <span className="block truncate text-faint text-xs">{item.detail}</span>
                        )}
                      </Autocomplete.Item>
                    )}
                  </Autocomplete.Collection>
                </Autocomplete.Group>
              )}
            </Autocomplete.List>
          </Autocomplete.Popup>
        </Autocomplete.Positioner>
      </Autocomplete.Portal>
    </Autocomplete.Root>
  );
}
