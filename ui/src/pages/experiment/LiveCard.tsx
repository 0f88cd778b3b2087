/** How far an experiment is while it runs; events bring it. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type Experiment, liveProgress } from '@/api/queries/experiments';
import { Card, Figure } from '@/components/Card';
import { isByClock } from '@/components/dashboard/byClock';
import { FailuresByClass, ttftSpread } from '@/components/dashboard/LiveLoad';
import { ProgressBar } from '@/components/Progress';
import { useNow } from '@/components/Time';
import { duration, number } from '@/lib/format';
import { withUnit } from '@/lib/units';

export function LiveCard({ experiment }: { experiment: Experiment }) {
  const { t } = useTranslation();
  const now = useNow();
  const { data } = useQuery(liveProgress(experiment.task_id, experiment.experiment_id));
  const since = experiment.started_at ? (now - new Date(experiment.started_at).getTime()) / 1000 : null;
  const { level = 0, levels = 0, completed = 0, failed = 0, planned = 0 } = data ?? {};
  const isTimed = isByClock(data?.label);
  // Levels count from 0.
  const share = levels > 0 ? (level + (planned > 0 ? (completed + failed) / planned : 0)) / levels : 0;
  const isMeasuring = data !== undefined && levels > 0;
  return (
    <Card
      title={
        <span className="flex items-center gap-2">
          <span aria-hidden className="size-2 animate-pulse rounded-full bg-info" />
          {t('experiments.page.live')}
          <span className="num font-normal text-muted">{duration(since)}</span>
        </span>
      }
    >
      <ProgressBar
        value={isTimed ? undefined : share * 100}
        label={t('experiments.page.live')}
        tone="bg-info"
      />
      {isMeasuring ? (
        <div className="mt-3 grid grid-cols-2 gap-3 sm:grid-cols-4">
          <Figure
            label={t('experiments.page.level', { level: level + 1, levels })}
            value={data.label ?? '–'}
            hint={
              (isTimed
                ? t('dashboard.requestsSoFar', { count: completed })
                : t('experiments.page.requests', {
                    completed: number(completed, 6),
                    planned: number(planned, 6),
                  })) +
              (failed > 0 ? `, ${t('experiments.page.failedRequests', { count: failed })}` : '') +
              (data.in_flight === undefined ? '' : ` · ${t('dashboard.inFlight', { count: data.in_flight })}`)
            }
          />
          <Figure
            label={t('metrics.mean_output_throughput')}
            value={withUnit('tokens_per_second', data.output_throughput)}
          />
          <Figure label={t('metrics.mean_ttft')} value={duration(data.ttft)} hint={ttftSpread(t, data)} />
          <Figure label={t('metrics.mean_tpot')} value={duration(data.tpot)} />
          <FailuresByClass errors={data.errors} className="col-span-full" />
        </div>
      ) : (
        <p className="mt-3 text-muted text-xs">{t('experiments.page.preparing')}</p>
      )}
    </Card>
  );
}
