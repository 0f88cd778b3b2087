/** The service itself, in little: its worker, and what its database holds. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type DatabaseStatistics, workerStatus } from '@/api/queries/dashboard';
import { systemHealth } from '@/api/queries/system';
import { Badge } from '@/components/Badge';
import { Card } from '@/components/Card';
import { bytes, duration, number, percent } from '@/lib/format';

export function ServicePart({ statistics }: { statistics: DatabaseStatistics }) {
  const { t } = useTranslation();
  const { data: worker } = useQuery(workerStatus);
  const { data: health } = useQuery(systemHealth);
  const isWell = worker?.worker_running && health?.status === 'healthy';
  const problems = health
    ? (['database', 'worker', 'docker'] as const).filter((part) => health[part] !== 'ok')
    : [];
  const rows: [string, string][] = worker
    ? [
        [t('dashboard.service.uptime'), duration(worker.worker_uptime_seconds)],
        [t('dashboard.service.cpu'), percent(worker.worker_cpu_percent / 100)],
        [t('dashboard.service.memory'), bytes(worker.worker_memory_mb * 1024 * 1024)],
      ]
    : [];
  // One machine needs no list of machines.
  const workers = (worker?.workers.length ?? 0) > 1 ? (worker?.workers ?? []) : [];
  rows.push(
    [t('dashboard.service.tasks'), number(statistics.total_tasks, 9)],
    [t('dashboard.service.experiments'), number(statistics.total_experiments, 9)],
  );
  return (
    <Card
      title={t('dashboard.service.title')}
      actions={
        worker &&
        health && (
          <Badge tone={isWell ? 'good' : 'bad'}>
            {isWell ? t('dashboard.service.well') : t('dashboard.service.unwell')}
          </Badge>
        )
      }
    >
      <dl className="num space-y-1 text-xs">
        {rows.map(([name, value]) => (
          <div key={name} className="flex justify-between gap-3">
            <dt className="text-muted">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {workers.length > 0 && (
        <>
          <h3 className="mt-3 mb-1 font-medium text-xs">{t('dashboard.service.workers')}</h3>
          <ul className="num space-y-1 text-xs">
            {workers.map(({ hostname, places, running, problem }, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: two workers may share a name
              <li key={`${hostname} ${index}`}>
                <span className="flex justify-between gap-3">
                  <span className="min-w-0 truncate">{hostname}</span>
                  <span className="whitespace-nowrap text-muted">
                    {t('dashboard.service.running', { running, places })}
                  </span>
                </span>
                {problem && <span className="block break-words text-warn">{problem}</span>}
              </li>
            ))}
          </ul>
        </>
      )}
      {problems.map((part) => (
        <p key={part} className="mt-2 break-words text-warn text-xs">
          {t(`dashboard.service.part.${part}`)}: {health?.[part]}
        </p>
      ))}
    </Card>
  );
}
