/** One of several, from a list that opens. */
import { Select as Base } from '@base-ui/react/select';
import { Check, ChevronsUpDown } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

/** The surface of every list that opens. */
export const POPUP_LIST =
  'max-h-[min(24rem,var(--available-height))] overflow-y-auto rounded-lg border border-line bg-raised p-1 text-sm shadow-pop outline-none transition-opacity duration-100 data-ending-style:opacity-0 data-starting-style:opacity-0';

export interface Option<Value extends string> {
  value: Value;
  label: string;
  hint?: ReactNode;
  isDisabled?: boolean;
}

export interface SelectProps<Value extends string> {
  value: Value;
  onChange: (value: Value) => void;
  options: readonly Option<Value>[];
  /** Its accessible name, where no label stands beside it. */
  label?: string;
  id?: string;
  className?: string;
  isDisabled?: boolean;
  isInvalid?: boolean;
  'aria-describedby'?: string;
}

export function Select<Value extends string>({
  value,
  onChange,
  options,
  label,
  id,
  className,
  isDisabled,
  isInvalid,
  ...rest
}: SelectProps<Value>) {
  return (
    <Base.Root
      items={options as Option<Value>[]}
      value={value}
      onValueChange={(next) => next !== null && onChange(next as Value)}
      disabled={isDisabled ?? false}
    >
      <Base.Trigger
        id={id}
        aria-label={label}
        aria-invalid={isInvalid || undefined}
        aria-describedby={rest['aria-describedby']}
        className={cx(
          'inline-flex h-8 min-w-32 items-center justify-between gap-2 rounded-lg border bg-surface pr-2 pl-3 text-left text-sm shadow-card hover:bg-sunken data-disabled:opacity-50',
          isInvalid ? 'border-bad' : 'border-line',
          className,
        )}
      >
        <Base.Value className="truncate" />
        <Base.Icon className="text-faint">
          <ChevronsUpDown aria-hidden className="size-3.5" />
        </Base.Icon>
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-50 outline-none">
          <Base.Popup className={cx(POPUP_LIST, 'min-w-[var(--anchor-width)]')}>
            <Base.List>
              {options.map((option) => (
                <Base.Item
                  key={option.value}
                  value={option.value}
                  disabled={option.isDisabled ?? false}
                  className="grid cursor-default grid-cols-[1rem_1fr] items-center gap-2 rounded-md py-1.5 pr-3 pl-2 outline-none select-none data-disabled:opacity-50 data-highlighted:bg-sunken"
                >
                  <Base.ItemIndicator className="col-start-1">
                    <Check aria-hidden className="size-4 text-accent" />
                  </Base.ItemIndicator>
                  <span className="col-start-2">
                    <Base.ItemText>{option.label}</Base.ItemText>
                    {option.hint && <span className="block text-faint text-xs">{option.hint}</span>}
                  </span>
                </Base.Item>
              ))}
            </Base.List>
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
