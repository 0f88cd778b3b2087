/** Every run of a task: how it ended, what it measured, and how its document differs from today's. */
import { useQuery } from '@tanstack/react-query';
import { ChevronRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { type Run, taskExperiments, taskRuns } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { Badge, StatusBadge } from '@/components/Badge';
import { ExperimentTable } from '@/components/experiment/ExperimentTable';
import { objectiveOf } from '@/components/experiment/read';
import { Failed, SkeletonRows } from '@/components/States';
import { Time } from '@/components/Time';
import { changesBetween } from '@/components/task/document';
import { RunDuration } from '@/components/task/RunDuration';
import { useAddress } from '@/lib/address';
import { cx } from '@/lib/cx';
import { number } from '@/lib/format';
import { href } from '@/lib/navigate';
import { asNumber } from '@/lib/search';

export function RunsPart({ task }: { task: Task }) {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  const { data, error, isPending, refetch } = useQuery(taskRuns(task.id));
  if (isPending) return <SkeletonRows className="card" />;
  if (!data) return <Failed error={error} onRetry={() => void refetch()} className="card" />;
  const open = asNumber(search.run);
  const current = data.find(({ is_current }) => is_current);
  return (
    <ul aria-label={t('tasks.part.runs')} className="space-y-3">
      {data.map((run) => (
        <li key={run.run} className="card overflow-hidden">
          <RunHead
            run={run}
            isOpen={run.run === open}
            onToggle={() => change({ run: run.run === open ? undefined : run.run })}
          />
          {run.run === open && <RunBody task={task} run={run} current={current} />}
        </li>
      ))}
    </ul>
  );
}

function RunHead({ run, isOpen, onToggle }: { run: Run; isOpen: boolean; onToggle: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-4 py-3">
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={onToggle}
        className="flex items-center gap-2 font-semibold hover:text-accent"
      >
        <ChevronRight aria-hidden className={cx('size-4 transition-transform', isOpen && 'rotate-90')} />
        {t('tasks.runs.one', { run: run.run })}
      </button>
      <span className="flex gap-1.5">
        <StatusBadge status={run.status} />
        {run.is_current && <Badge tone="accent">{t('tasks.runs.current')}</Badge>}
      </span>
      <span className="num text-muted text-sm">
        {t('tasks.progress', {
          done: number(run.successful_experiments, 9),
          total: number(run.total_experiments, 9),
        })}
      </span>
      <span className="num ml-auto flex gap-3 text-muted text-sm">
        <RunDuration task={run} />
        <Time at={run.started_at} />
      </span>
      {run.ended_because && <p className="basis-full pl-6 text-muted text-xs">{run.ended_because}</p>}
    </div>
  );
}

function RunBody({ task, run, current }: { task: Task; run: Run; current: Run | undefined }) {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useQuery(
    taskExperiments(task.id, run.is_current ? undefined : run.run),
  );
  const document = run.document as { optimization?: unknown };
  const changes = run.is_current ? [] : changesBetween(run.document, current?.document);
  const [own, other] = [run.best_experiment_id, current?.best_experiment_id];
  return (
    <div className="divide-y divide-line border-line border-t">
      {!run.is_current && (
        <section className="p-4">
          <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
            <h3 className="font-medium">{t('tasks.runs.against')}</h3>
            {own && other && (
              <a href={href.compare([own, other])} className="text-accent hover:underline">
                {t('tasks.runs.compareBest')}
              </a>
            )}
          </div>
          {changes.length === 0 ? (
            <p className="text-muted">{t('tasks.runs.same')}</p>
          ) : (
            <div className="overflow-x-auto">
              <table className="w-full text-sm">
                <thead>
                  <tr className="text-left text-muted text-xs">
                    <th scope="col" className="py-1 pr-3 font-medium">
                      {t('tasks.runs.setting')}
                    </th>
                    <th scope="col" className="px-3 py-1 font-medium">
                      {t('tasks.runs.one', { run: run.run })}
                    </th>
                    <th scope="col" className="px-3 py-1 font-medium">
                      {t('tasks.runs.current')}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {changes.map(({ path, before, after }) => (
                    <tr key={path} className="border-line border-t align-baseline">
                      <th scope="row" className="py-1 pr-3 text-left font-mono font-normal text-xs">
                        {path}
                      </th>
                      <td className="px-3 py-1">{before ?? '–'}</td>
                      <td className="px-3 py-1">{after ?? '–'}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </section>
      )}
      {error && !data ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : (
        <ExperimentTable
          experiments={data ?? []}
          objective={objectiveOf(document.optimization)}
          best={run.best_experiment_id}
          run={run.is_current ? undefined : run.run}
          isLoading={isPending}
        />
      )}
    </div>
  );
}
