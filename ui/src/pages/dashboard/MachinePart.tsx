/** The machine and its GPUs, every few seconds while the page can be seen. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { gpuStatus, hostStatus } from '@/api/queries/dashboard';
import { Card } from '@/components/Card';
import { GpuFigures, HostFigures } from '@/components/dashboard/HostFigures';
import { Skeleton } from '@/components/States';
import { duration } from '@/lib/format';

export function MachinePart() {
  const { t } = useTranslation();
  const host = useQuery(hostStatus);
  const gpus = useQuery(gpuStatus);
  const cards = gpus.data?.now ?? [];
  // One GPU has room beside the rest; more have a place of their own.
  const isTold = cards.length === 1;
  if (host.isError && !host.data && !isTold) return null;
  return (
    <Card
      title={t('dashboard.host.title')}
      actions={
        host.data && (
          <span className="num truncate text-muted text-xs">
            {host.data.now.hostname}
            {host.data.now.uptime_seconds !== null &&
              ` · ${t('dashboard.host.up', { time: duration(host.data.now.uptime_seconds) })}`}
          </span>
        )
      }
    >
      {host.data ? (
        <HostFigures host={host.data.now} cpu={host.data.samples.cpu ?? []} />
      ) : (
        host.isPending && <Skeleton className="h-28 w-full" />
      )}
      {isTold && (
        <div className="mt-4 space-y-4 border-line border-t pt-4">
          {cards.map((gpu) => (
            <GpuFigures key={gpu.uuid} gpu={gpu} used={gpus.data?.samples[gpu.uuid] ?? []} />
          ))}
        </div>
      )}
    </Card>
  );
}

/** Several GPUs, side by side. */
export function GpuPart() {
  const { t } = useTranslation();
  const { data } = useQuery(gpuStatus);
  const cards = data?.now ?? [];
  if (cards.length < 2) return null;
  const free = cards.filter(({ is_free: isFree }) => isFree).length;
  return (
    <Card
      title={t('dashboard.gpu.title')}
      actions={
        <span className="num text-muted text-xs">
          {t('dashboard.gpu.freeOf', { free, count: cards.length })}
        </span>
      }
    >
      <div className="grid gap-x-6 gap-y-4 sm:grid-cols-2">
        {cards.map((gpu) => (
          <GpuFigures key={gpu.uuid} gpu={gpu} used={data?.samples[gpu.uuid] ?? []} />
        ))}
      </div>
    </Card>
  );
}
