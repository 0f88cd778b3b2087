/** Docker does not answer: why, and what to do. The page tries by itself meanwhile. */
import { Unplug } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { CodeBlock } from '../Copy';
import { Failed } from '../States';

/** Whether it is Docker that is missing, and not the service. */
export function isDockerAway(error: unknown): boolean {
  return error instanceof ApiError && error.status === 503;
}

export function DockerFailed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  if (!isDockerAway(error)) return <Failed error={error} onRetry={onRetry} className="card" />;
  const remedies = [
    { key: 'start', command: 'sudo systemctl start docker' },
    { key: 'group', command: 'sudo usermod -aG docker $USER' },
    { key: 'check', command: 'docker info' },
  ] as const;
  return (
    <div role="alert" className="card mx-auto max-w-2xl p-6">
      <div className="flex items-start gap-4">
        <div className="rounded-xl bg-warn-soft p-3 text-warn">
          <Unplug aria-hidden className="size-6" />
        </div>
        <div className="min-w-0">
          <h2 className="font-semibold text-base">{t('containers.docker.title')}</h2>
          <p className="mt-1">{t('containers.docker.failed')}</p>
          <p className="mt-1 break-words text-muted text-xs">{error instanceof Error ? error.message : ''}</p>
          {error instanceof ApiError && error.hint && <p className="mt-1 text-muted text-xs">{error.hint}</p>}
        </div>
      </div>
      <dl className="mt-5 space-y-3">
        {remedies.map(({ key, command }) => (
          <div key={key}>
            <dt className="mb-1 text-muted text-sm">{t(`containers.docker.${key}`)}</dt>
            <dd>
              <CodeBlock text={command} />
            </dd>
          </div>
        ))}
      </dl>
      <p role="status" className="mt-5 flex items-center gap-2 text-muted text-xs">
        <span aria-hidden className="size-1.5 animate-pulse rounded-full bg-warn" />
        {t('containers.docker.waiting')}
      </p>
    </div>
  );
}
