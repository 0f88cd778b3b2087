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
  if (host.isError && cards.length === 0) return null;
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
      {cards.length > 0 && (
        <div className="mt-4 space-y-4 border-line border-t pt-4">
          {cards.map((gpu) => (
            <GpuFigures key={gpu.uuid} gpu={gpu} used={gpus.data?.samples[gpu.uuid] ?? []} />
          ))}
        </div>
      )}
    </Card>
  );
}
