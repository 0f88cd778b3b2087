/** What a page shows while there is nothing to show: it loads, it is empty, it went wrong. */
import { CircleAlert, type LucideIcon, RotateCw, WifiOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { cx } from '@/lib/cx';
import { Button } from './Button';

/** A place that is about to be filled. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx('animate-pulse rounded-md bg-line/70', className ?? 'h-4 w-full')} />;
}

/** Several lines that are about to be filled. */
export function SkeletonRows({ rows = 6, className }: { rows?: number; className?: string }) {
  const { t } = useTranslation();
  return (
    <div role="status" aria-label={t('state.loading')} className={cx('space-y-3 p-4', className)}>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <Skeleton key={index} className="h-5 w-full" />
      ))}
    </div>
  );
}

export function Empty({
  icon: Icon,
  title,
  text,
  children,
  className,
}: {
  icon: LucideIcon;
  title: string;
  text?: ReactNode;
  children?: ReactNode;
  className?: string;
}) {
  return (
    <div className={cx('flex flex-col items-center px-6 py-14 text-center', className)}>
      <div className="mb-3 rounded-xl bg-sunken p-3 text-muted ring-1 ring-line">
        <Icon aria-hidden className="size-6" />
      </div>
      <h3 className="font-semibold">{title}</h3>
      {text && <div className="mt-1 max-w-md text-muted">{text}</div>}
      {children && <div className="mt-4 flex flex-wrap justify-center gap-2">{children}</div>}
    </div>
  );
}

/** What went wrong, what to do about it, and a way to try again. */
export function Failed({
  error,
  title,
  onRetry,
  className,
}: {
  error: unknown;
  title?: string;
  onRetry?: () => void;
  className?: string;
}) {
  const { t } = useTranslation();
  const isAway = error instanceof ApiError && error.isUnreachable;
  const Icon = isAway ? WifiOff : CircleAlert;
  return (
    <div role="alert" className={cx('flex flex-col items-center px-6 py-12 text-center', className)}>
      <div className="mb-3 rounded-xl bg-bad-soft p-3 text-bad">
        <Icon aria-hidden className="size-6" />
      </div>
      <h3 className="font-semibold">{title ?? (isAway ? t('state.unreachable') : t('state.failed'))}</h3>
      <p className="mt-1 max-w-lg break-words text-muted">
        {error instanceof Error ? error.message : String(error)}
      </p>
      {error instanceof ApiError && error.hint && <p className="mt-1 max-w-lg text-muted">{error.hint}</p>}
      {onRetry && (
        <Button icon={RotateCw} onClick={onRetry} className="mt-4">
          {t('action.retry')}
        </Button>
      )}
    </div>
  );
}
