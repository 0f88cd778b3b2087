/** A word in a coloured pill. Colour never says it alone: the word does, and a dot or an icon beside it. */
import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import type { Tone } from './Button';

const TONES: Record<Tone, string> = {
  neutral: 'bg-sunken text-muted ring-line',
  good: 'bg-good-soft text-good ring-good/25',
  bad: 'bg-bad-soft text-bad ring-bad/25',
  warn: 'bg-warn-soft text-warn ring-warn/25',
  info: 'bg-info-soft text-info ring-info/25',
  accent: 'bg-accent-soft text-accent ring-accent/25',
};

export function Badge({
  tone = 'neutral',
  icon: Icon,
  children,
  className,
}: {
  tone?: Tone;
  icon?: LucideIcon;
  children: ReactNode;
  className?: string;
}) {
  return (
    <span
      className={cx(
        'inline-flex items-center gap-1 rounded-full px-2 py-0.5 text-xs font-medium whitespace-nowrap ring-1 ring-inset',
        TONES[tone],
        className,
      )}
    >
      {Icon && <Icon aria-hidden className="size-3" />}
      {children}
    </span>
  );
}

/** The colour of a status, of tasks, experiments and containers alike. */
export const STATUS_TONES: Record<string, Tone> = {
  pending: 'warn',
  running: 'info',
  completed: 'good',
  failed: 'bad',
  cancelled: 'neutral',
  deploying: 'info',
  benchmarking: 'info',
  success: 'good',
};

const MOVING = new Set(['running', 'deploying', 'benchmarking']);

/** The status of a task or an experiment. */
export function StatusBadge({ status, className }: { status: string; className?: string }) {
  const { t } = useTranslation();
  return (
    <Badge tone={STATUS_TONES[status] ?? 'neutral'} className={className}>
      <span
        aria-hidden
        className={cx('size-1.5 rounded-full bg-current', MOVING.has(status) && 'animate-pulse')}
      />
      {t(`status.${status}`, { defaultValue: status })}
    </Badge>
  );
}
