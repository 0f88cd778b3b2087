/** The day in six figures. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type DatabaseStatistics, live, recentFailures, timeline } from '@/api/queries/dashboard';
import { failuresSince } from '@/components/dashboard/failures';
import { Strip } from '@/components/dashboard/Strip';
import { useNow } from '@/components/Time';
import { duration, number, percent } from '@/lib/format';
import { href } from '@/lib/navigate';

const DAY = 86_400_000;

export function StripPart({ statistics }: { statistics: DatabaseStatistics }) {
  const { t } = useTranslation();
  const now = useNow(60_000);
  const { data: current } = useQuery(live);
  const { data: day } = useQuery(timeline(24));
  const { data: failures } = useQuery(recentFailures);
  const tasks = statistics.tasks_by_status as Record<string, number>;
  const experiments = statistics.experiments_by_status as Record<string, number>;
  const active = (experiments.deploying ?? 0) + (experiments.benchmarking ?? 0);
  const waiting = current?.queue.length ?? 0;
  const ended = (day ?? []).filter(({ completed_at }) => completed_at);
  const ok = ended.filter(({ status }) => status === 'success').length;
  const failed = ended.length - ok;
  const worst = failuresSince(failures?.items ?? [], now - DAY)[0];
  return (
    <Strip
      label={t('dashboard.today')}
      figures={[
        {
          key: 'running',
          label: t('dashboard.strip.running'),
          value: number(tasks.running ?? 0, 9),
          hint: t('dashboard.strip.active', { count: active }),
          href: href.tasks({ status: 'running' }),
          tone: tasks.running ? 'text-info' : undefined,
        },
        {
          key: 'pending',
          label: t('dashboard.strip.pending'),
          value: number(tasks.pending ?? 0, 9),
          hint:
            waiting > 0
              ? t('dashboard.strip.waiting', { count: waiting })
              : tasks.pending
                ? t('dashboard.strip.toStart')
                : undefined,
          href: href.tasks({ status: 'pending' }),
        },
        {
          key: 'completed',
          label: t('dashboard.strip.completed'),
          value: number(tasks.completed ?? 0, 9),
          hint: t('dashboard.strip.ofTasks', { count: statistics.total_tasks }),
          href: href.tasks({ status: 'completed' }),
        },
        {
          key: 'experiments',
          label: t('dashboard.strip.experiments'),
          value: number(statistics.experiments_last_24h, 9),
          hint: t('dashboard.strip.inAll', { count: statistics.total_experiments }),
          href: href.experiments(),
        },
        {
          key: 'success',
          label: t('dashboard.strip.success'),
          value: ended.length > 0 ? percent(ok / ended.length, 0) : '–',
          hint:
            ended.length === 0
              ? undefined
              : failed === 0
                ? t('dashboard.strip.noneFailed')
                : `${t('dashboard.strip.failed', { count: failed })}${worst ? ` · ${t(`failure.${worst.kind}`, { defaultValue: worst.kind })}` : ''}`,
          href: href.experiments({ status: 'failed' }),
        },
        {
          key: 'duration',
          label: t('dashboard.strip.duration'),
          value: duration(statistics.avg_experiment_duration_seconds),
          hint: t('dashboard.strip.mean'),
        },
      ]}
    />
  );
}
