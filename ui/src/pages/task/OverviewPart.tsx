/** Where a task is and what came of it: what runs, the verdict, the figures, and what went wrong. */
import { useQuery } from '@tanstack/react-query';
import { ChartColumn, CopyPlus, ScrollText } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { taskExperiments } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { buttonClass } from '@/components/Button';
import { Card } from '@/components/Card';
import { CopyButton } from '@/components/Copy';
import { inOrder } from '@/components/experiment/read';
import { Skeleton } from '@/components/States';
import { FailureCard } from '@/components/task/FailureCard';
import { groupFailures } from '@/components/task/failures';
import { asPairs, ParameterList } from '@/components/task/ParameterList';
import { SlosMet } from '@/components/task/SlosMet';
import { VerdictCard } from '@/components/task/VerdictCard';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import { KeyFigures } from './KeyFigures';
import { LatestExperiments } from './LatestExperiments';
import { LivePart } from './LivePart';
import { PlanPart } from './PlanPart';

export function OverviewPart({ task }: { task: Task }) {
  const { t } = useTranslation();
  const isPending = task.status === 'pending';
  const { data: all, isPending: isLoading } = useQuery({ ...taskExperiments(task.id), enabled: !isPending });
  if (isPending) return <PlanPart task={task} />;
  const experiments = inOrder(all ?? []);
  const best = experiments.find(({ id }) => id === task.best_experiment_id);
  const isRunning = task.status === 'running';
  const { verdict } = task;
  return (
    <div className="space-y-4">
      {isRunning && <LivePart task={task} experiments={experiments} best={best} />}
      {verdict && !isRunning && (
        <VerdictCard
          taskId={task.id}
          verdict={verdict}
          isFailure={task.status === 'failed'}
          feasibility={best && task.slo !== null && <SlosMet experiment={best} />}
        >
          {task.successful_experiments > 0 ? (
            <a href={href.taskPart(task.id, 'results')} className={buttonClass()}>
              <ChartColumn aria-hidden className="size-4" />
              {t('tasks.control.results')}
            </a>
          ) : (
            <>
              <a href={href.taskPart(task.id, 'logs')} className={buttonClass()}>
                <ScrollText aria-hidden className="size-4" />
                {t('tasks.control.logs')}
              </a>
              <a href={href.newTask({ from: task.id })} className={buttonClass()}>
                <CopyPlus aria-hidden className="size-4" />
                {t('tasks.changedCopy')}
              </a>
            </>
          )}
        </VerdictCard>
      )}
      <KeyFigures task={task} experiments={experiments} />
      <div className={cx('grid items-start gap-4', best && 'xl:grid-cols-[minmax(0,1fr)_22rem]')}>
        <div className="flex min-w-0 flex-col gap-4">
          <FailureCard
            taskId={task.id}
            failures={groupFailures(experiments)}
            // What failed comes first where nothing else came of it.
            className={task.successful_experiments > 0 ? 'order-last' : undefined}
          />
          {isLoading ? (
            <Skeleton className="h-64 w-full" />
          ) : (
            <LatestExperiments task={task} experiments={experiments} />
          )}
        </div>
        {best && (
          <Card
            title={t('tasks.bestParameters')}
            actions={<CopyButton text={() => asPairs(best.parameters)} label={t('tasks.copyParameters')} />}
          >
            <ParameterList parameters={best.parameters} />
          </Card>
        )}
      </div>
    </div>
  );
}
