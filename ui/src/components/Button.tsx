/** Things to press. */
import { LoaderCircle, type LucideIcon } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { cx } from '@/lib/cx';
import { Tip } from './Tip';

export type Tone = 'neutral' | 'good' | 'bad' | 'warn' | 'info' | 'accent';
export type ButtonKind = 'primary' | 'secondary' | 'ghost' | 'danger';

const BASE =
  'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-lg font-medium whitespace-nowrap transition-colors duration-100 select-none disabled:cursor-not-allowed disabled:opacity-50 aria-disabled:cursor-not-allowed aria-disabled:opacity-50';

const KINDS: Record<ButtonKind, string> = {
  primary: 'bg-accent text-accent-fg hover:bg-accent-hover',
  secondary: 'border border-line bg-surface text-fg shadow-card hover:bg-sunken',
  ghost: 'text-muted hover:bg-sunken hover:text-fg',
  danger: 'bg-bad text-bg hover:opacity-90',
};

const SIZES = { sm: 'h-7 px-2.5 text-xs', md: 'h-8 px-3 text-sm', lg: 'h-10 px-4 text-sm' };

/** How a button looks, for what is a link and should look like one. */
export function buttonClass(kind: ButtonKind = 'secondary', size: keyof typeof SIZES = 'md'): string {
  return cx(BASE, KINDS[kind], SIZES[size]);
}

export interface ButtonProps extends ComponentProps<'button'> {
  kind?: ButtonKind;
  size?: keyof typeof SIZES;
  icon?: LucideIcon;
  /** Its request runs: it turns, and cannot be pressed again. */
  isPending?: boolean;
}

export function Button({
  kind,
  size,
  icon: Icon,
  isPending = false,
  className,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  const Shown = isPending ? LoaderCircle : Icon;
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled || isPending}
      aria-busy={isPending || undefined}
      className={cx(buttonClass(kind, size), className)}
    >
      {Shown && <Shown aria-hidden className={cx('size-4', isPending && 'animate-spin')} />}
      {children}
    </button>
  );
}

const TONES: Record<Tone, string> = {
  neutral: 'text-muted hover:bg-sunken hover:text-fg',
  good: 'text-good hover:bg-good-soft',
  bad: 'text-bad hover:bg-bad-soft',
  warn: 'text-warn hover:bg-warn-soft',
  info: 'text-info hover:bg-info-soft',
  accent: 'text-accent hover:bg-accent-soft',
};

/** How an icon to press looks, for what is a link. */
export function iconButtonClass(tone: Tone = 'neutral'): string {
  return cx(BASE, TONES[tone], 'size-8');
}

export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'children'> {
  /** Its accessible name, and its tooltip. */
  label: string;
  icon: LucideIcon;
  tone?: Tone;
  isPending?: boolean;
  /** Where more than the name is to be said in the tooltip. */
  tip?: ReactNode;
}

/** An icon with an accessible name and a tooltip. */
export function IconButton({
  label,
  icon: Icon,
  tone,
  isPending = false,
  tip,
  className,
  disabled,
  ...rest
}: IconButtonProps) {
  const Shown = isPending ? LoaderCircle : Icon;
  return (
    <Tip text={tip ?? label}>
      <button
        type="button"
        {...rest}
        aria-label={label}
        aria-busy={isPending || undefined}
        disabled={disabled || isPending}
        className={cx(iconButtonClass(tone), className)}
      >
        <Shown aria-hidden className={cx('size-4', isPending && 'animate-spin')} />
      </button>
    </Tip>
  );
}
