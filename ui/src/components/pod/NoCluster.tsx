/** The cluster does not answer, or there is none: why, and what to do. The page tries by itself meanwhile. */
import { Unplug } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { CodeBlock } from '../Copy';
import { Failed } from '../States';

export function ClusterFailed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  const isAway = error instanceof ApiError && error.status === 503;
  if (!isAway) return <Failed error={error} onRetry={onRetry} className="card" />;
  const isUnnamed = error.code === 'no_cluster';
  return (
    <div role="alert" className="card mx-auto max-w-2xl p-6">
      <div className="flex items-start gap-4">
        <div className="rounded-xl bg-warn-soft p-3 text-warn">
          <Unplug aria-hidden className="size-6" />
        </div>
        <div className="min-w-0">
          <h2 className="font-semibold text-base">
            {t(isUnnamed ? 'pods.away.unnamed' : 'pods.away.title')}
          </h2>
          <p className="mt-1 break-words">{error.message}</p>
          {error.hint && <p className="mt-1 text-muted text-xs">{error.hint}</p>}
        </div>
      </div>
      <p className="mt-5 mb-1 text-muted text-sm">{t('pods.away.check')}</p>
      <CodeBlock text="autotuner doctor" />
      {!isUnnamed && (
        <p role="status" className="mt-5 flex items-center gap-2 text-muted text-xs">
          <span aria-hidden className="size-1.5 animate-pulse rounded-full bg-warn" />
          {t('pods.away.waiting')}
        </p>
      )}
    </div>
  );
}
