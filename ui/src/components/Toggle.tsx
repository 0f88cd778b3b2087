/** Things that are on or off, and one of a few side by side. */
import { Checkbox as BaseCheckbox } from '@base-ui/react/checkbox';
import { Switch as BaseSwitch } from '@base-ui/react/switch';
import { Check, type LucideIcon, Minus } from 'lucide-react';
import type { ReactNode } from 'react';
import { cx } from '@/lib/cx';

export function Switch({
  isOn,
  onChange,
  label,
  id,
  isDisabled,
}: {
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  label: ReactNode;
  id?: string;
  isDisabled?: boolean;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the switch inside is the control
    <label className={cx('inline-flex items-center gap-2 text-sm', isDisabled && 'opacity-60')}>
      <BaseSwitch.Root
        id={id}
        checked={isOn}
        onCheckedChange={onChange}
        disabled={isDisabled ?? false}
        className="relative inline-flex h-5 w-9 shrink-0 items-center rounded-full bg-line-strong transition-colors data-checked:bg-accent"
      >
        <BaseSwitch.Thumb className="block size-4 translate-x-0.5 rounded-full bg-white shadow transition-transform data-checked:translate-x-[1.125rem]" />
      </BaseSwitch.Root>
      {label}
    </label>
  );
}

export function Checkbox({
  isOn,
  onChange,
  label,
  isPartly = false,
  isDisabled,
  hideLabel = false,
}: {
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  label: string;
  isPartly?: boolean;
  isDisabled?: boolean;
  hideLabel?: boolean;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the checkbox inside is the control
    <label className={cx('inline-flex items-center gap-2 text-sm', isDisabled && 'opacity-60')}>
      <BaseCheckbox.Root
        checked={isOn}
        indeterminate={isPartly}
        onCheckedChange={onChange}
        disabled={isDisabled ?? false}
        aria-label={label}
        className="flex size-4 shrink-0 items-center justify-center rounded border border-line-strong bg-surface data-checked:border-accent data-checked:bg-accent data-indeterminate:border-accent data-indeterminate:bg-accent"
      >
        <BaseCheckbox.Indicator className="text-accent-fg">
          {isPartly ? <Minus aria-hidden className="size-3" /> : <Check aria-hidden className="size-3" />}
        </BaseCheckbox.Indicator>
      </BaseCheckbox.Root>
      {!hideLabel && label}
    </label>
  );
}

/** One of a few, all of them shown. */
export function Segmented<Value extends string>({
  value,
  onChange,
  options,
  label,
  className,
}: {
  value: Value;
  onChange: (value: Value) => void;
  options: readonly { value: Value; label: string; icon?: LucideIcon }[];
  label: string;
  className?: string;
}) {
  return (
    <fieldset className={cx('inline-flex rounded-lg border border-line bg-sunken p-0.5', className)}>
      <legend className="sr-only">{label}</legend>
      {options.map(({ value: own, label: name, icon: Icon }) => (
        <button
          key={own}
          type="button"
          aria-pressed={own === value}
          onClick={() => onChange(own)}
          className={cx(
            'inline-flex h-6.5 items-center gap-1.5 rounded-md px-2.5 text-xs',
            own === value ? 'bg-raised font-medium text-fg shadow-card' : 'text-muted hover:text-fg',
          )}
        >
          {Icon && <Icon aria-hidden className="size-3.5" />}
          {name}
        </button>
      ))}
    </fieldset>
  );
}
