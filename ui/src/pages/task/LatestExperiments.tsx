/** The experiments that were made last. */
import { FlaskConical } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { Badge, StatusBadge } from '@/components/Badge';
import { Card } from '@/components/Card';
import { varyingParameters } from '@/components/experiment/parameters';
import {
  FailureBadge,
  GainOver,
  ObjectiveValue,
  ParameterChips,
  RoleBadge,
} from '@/components/experiment/parts';
import { Empty } from '@/components/States';
import { RunDuration } from '@/components/task/RunDuration';
import { href } from '@/lib/navigate';

const MOST = 6;

export function LatestExperiments({ task, experiments }: { task: Task; experiments: readonly Experiment[] }) {
  const { t } = useTranslation();
  const latest = experiments.slice(-MOST).reverse();
  const baseline =
    experiments.find(({ is_baseline, status }) => is_baseline && status === 'success')?.objective_value ??
    null;
  const names = varyingParameters(experiments);
  return (
    <Card
      title={t('tasks.latest')}
      padded={false}
      actions={
        experiments.length > MOST && (
          <a href={href.taskPart(task.id, 'experiments')} className="text-accent text-xs hover:underline">
            {t('tasks.allExperiments', { count: experiments.length })}
          </a>
        )
      }
    >
      {latest.length === 0 ? (
        <Empty icon={FlaskConical} title={t('tasks.noExperiments')} className="py-8" />
      ) : (
        <ul className="divide-y divide-line">
          {latest.map((experiment) => (
            <li key={experiment.id} className="flex flex-wrap items-center gap-x-3 gap-y-1.5 px-4 py-2.5">
              <a
                href={href.experiment(task.id, experiment.experiment_id)}
                className="num w-9 shrink-0 font-medium text-accent hover:underline"
              >
                <span className="sr-only">{t('tasks.blocks.one', { number: experiment.experiment_id })}</span>
                <span aria-hidden>#{experiment.experiment_id}</span>
              </a>
              <span className="flex shrink-0 items-center gap-1.5">
                <StatusBadge status={experiment.status} />
                <RoleBadge role={experiment.role} />
                {experiment.id === task.best_experiment_id && <Badge tone="good">{t('tasks.best')}</Badge>}
              </span>
              <span className="order-last min-w-0 basis-full sm:order-none sm:flex-1 sm:basis-40">
                {experiment.status === 'failed' && experiment.failure_kind ? (
                  <FailureBadge kind={experiment.failure_kind} />
                ) : (
                  <ParameterChips parameters={experiment.parameters} names={names} most={3} />
                )}
              </span>
              <span className="ml-auto flex shrink-0 items-baseline gap-3 text-right">
                <ObjectiveValue experiment={experiment} className="font-medium" />
                <span className="w-16">
                  <GainOver experiment={experiment} baseline={baseline} />
                </span>
                <span className="num w-14 text-muted text-xs">
                  <RunDuration task={asTimed(experiment)} />
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function asTimed({ status, started_at, elapsed_time }: Experiment) {
  const isOver = status === 'success' || status === 'failed';
  return {
    status: isOver ? status : 'running',
    started_at: started_at ?? null,
    elapsed_time: elapsed_time ?? null,
  };
}
