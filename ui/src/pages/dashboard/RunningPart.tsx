/** The tasks that run, as events tell of them. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { live } from '@/api/queries/dashboard';
import { type LiveExperiment, type LiveTask, useLiveProgress, useProgressTrack } from '@/api/queries/live';
import { type TaskRow, taskList, task as taskQuery } from '@/api/queries/tasks';
import { ExperimentNow, phaseWord } from '@/components/dashboard/ExperimentNow';
import { RunningCard } from '@/components/dashboard/RunningCard';
import { TaskActions } from '@/components/task/TaskActions';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import { objectiveKind, withUnit } from '@/lib/units';

/** More tasks than these are in the list of tasks. */
const MOST = 6;

/** More experiments than these of one task are on its own page. */
const MOST_EXPERIMENTS = 4;

export function RunningPart() {
  const { t } = useTranslation();
  const running = useQuery(taskList({ status_filter: 'running', limit: 50 }));
  const now = useQuery(live);
  // Those that wait for their turn are told of elsewhere.
  const queued = new Set(now.data?.queue.map(({ task_id }) => task_id));
  const rows = (running.data?.items ?? []).filter(({ id }) => !queued.has(id));
  if (rows.length === 0) return null;
  const shown = rows.slice(0, MOST);
  return (
    <section aria-label={t('dashboard.running')}>
      <div className={cx('grid gap-4', shown.length > 1 && 'lg:grid-cols-2')}>
        {shown.map((row) => (
          <RunningTask
            key={row.id}
            row={row}
            now={now.data?.tasks.find(({ task_id }) => task_id === row.id)}
          />
        ))}
      </div>
      {rows.length > shown.length && (
        <a
          href={href.tasks({ status: 'running' })}
          className="mt-2 block text-accent text-xs hover:underline"
        >
          {t('dashboard.moreRunning', { count: rows.length - shown.length })}
        </a>
      )}
    </section>
  );
}

function RunningTask({ row, now }: { row: TaskRow; now: LiveTask | undefined }) {
  const { data: whole } = useQuery(taskQuery(row.id));
  const objective = (whole?.optimization as { objective?: string } | undefined)?.objective;
  const score = now?.best_score;
  const best =
    score === null || score === undefined ? undefined : withUnit(objectiveKind(objective), Math.abs(score));
  const experiments: LiveExperiment[] = now?.experiments ?? [];
  return (
    <RunningCard
      id={row.id}
      name={row.task_name}
      runtime={row.base_runtime}
      isEnding={row.is_cancel_requested}
      done={now?.done_experiments ?? row.total_experiments}
      planned={now?.planned_experiments ?? row.max_iterations}
      eta={now?.eta_seconds}
      waitingFor={experiments.length === 0 ? (now?.waiting_for ?? row.waiting_for) : null}
      best={best}
      bestNumber={whole?.verdict?.best_experiment_number ?? whole?.best_experiment_number}
      gainOverDefaults={whole?.verdict?.gain_over_defaults}
      actions={<TaskActions task={row} />}
    >
      {experiments.slice(0, MOST_EXPERIMENTS).map((experiment) => (
        <RunningExperiment key={experiment.experiment_id} task={row.id} experiment={experiment} />
      ))}
    </RunningCard>
  );
}

/** What its events say is newer than what was asked. */
function RunningExperiment({ task, experiment }: { task: number; experiment: LiveExperiment }) {
  const { experiment_id: number, phase, since, waiting_for, progress } = experiment;
  const told = useLiveProgress(task, number);
  const track = useProgressTrack(task, number);
  const isMeasuring = told?.level !== undefined;
  const word = phaseWord(told, phase);
  return (
    <ExperimentNow
      task={task}
      number={number}
      phase={word}
      since={word === phase ? since : null}
      waitingFor={isMeasuring ? null : waiting_for}
      benchmark={isMeasuring ? told : (progress ?? undefined)}
      track={track}
    />
  );
}
