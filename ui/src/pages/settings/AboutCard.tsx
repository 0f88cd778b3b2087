/** Which service this is, and how it is. */
import { useQuery } from '@tanstack/react-query';
import { CircleAlert, CircleCheck } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { systemHealth, systemInfo } from '@/api/queries/system';
import { Card } from '@/components/Card';
import { Failed, Skeleton } from '@/components/States';
import { useNow } from '@/components/Time';
import { duration, moment } from '@/lib/format';

const PARTS = ['database', 'worker', 'docker'] as const;

export function AboutCard() {
  const { t } = useTranslation();
  const info = useQuery(systemInfo);
  const { data: health } = useQuery(systemHealth);
  const now = useNow(10_000);
  if (info.isError && !info.data) return <Failed error={info.error} onRetry={() => void info.refetch()} />;
  if (!info.data) return <Skeleton className="h-56 w-full" />;
  const { version, started_at, deployment_mode, available_runtimes, timezone } = info.data;
  const uptime = Math.max(0, Math.round((now - new Date(started_at).getTime()) / 1000));
  const rows: [string, string][] = [
    [t('settings.about.version'), version],
    [t('settings.about.uptime'), duration(uptime)],
    [t('settings.about.started'), moment(started_at)],
    [t('settings.about.mode'), deployment_mode],
    [t('settings.about.runtimes'), available_runtimes.join(', ')],
    [t('settings.about.timezone'), timezone],
  ];
  return (
    <Card title={t('settings.about.title')}>
      <dl className="num space-y-1.5 text-xs">
        {rows.map(([name, value]) => (
          <div key={name} className="flex justify-between gap-4">
            <dt className="shrink-0 text-muted">{name}</dt>
            <dd className="min-w-0 break-words text-right">{value}</dd>
          </div>
        ))}
      </dl>
      <h3 className="mt-4 mb-1.5 font-medium text-xs">{t('settings.about.health')}</h3>
      <ul className="space-y-1 text-xs">
        {PARTS.map((part) => {
          const word = health?.[part];
          const isWell = word === 'ok';
          const Icon = isWell ? CircleCheck : CircleAlert;
          return (
            <li key={part} className="flex gap-2">
              <Icon
                aria-hidden
                className={
                  isWell ? 'mt-0.5 size-3.5 shrink-0 text-good' : 'mt-0.5 size-3.5 shrink-0 text-warn'
                }
              />
              <span className="w-20 shrink-0 text-muted">{t(`settings.about.part.${part}`)}</span>
              <span className="min-w-0 break-words">
                {word === undefined ? '…' : isWell ? t('settings.about.well') : word}
              </span>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
