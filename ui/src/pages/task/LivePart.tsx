/** What a running task does now, as events tell of it. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { type LiveExperiment, taskLive, useLiveProgress, useProgressTrack } from '@/api/queries/live';
import type { Task } from '@/api/queries/tasks';
import { ExperimentNow, phaseWord } from '@/components/dashboard/ExperimentNow';
import { ParameterChips } from '@/components/experiment/parts';
import { objectiveOf } from '@/components/experiment/read';
import { LiveProgressCard } from '@/components/task/LiveProgressCard';
import { ProgressBlocks } from '@/components/task/ProgressBlocks';
import { RunDuration } from '@/components/task/RunDuration';
import { SlosMet } from '@/components/task/SlosMet';
import { withUnit } from '@/lib/units';

const UNDER_WAY = new Set(['pending', 'deploying', 'benchmarking']);

export function LivePart({
  task,
  experiments,
  best,
}: {
  task: Task;
  experiments: readonly Experiment[];
  best: Experiment | undefined;
}) {
  const { t } = useTranslation();
  const { data: live } = useQuery(taskLive(task.id));
  const now = live?.experiments ?? [];
  const done = experiments.filter(({ status, role }) => role === 'search' && !UNDER_WAY.has(status)).length;
  const planned = live?.planned_experiments ?? task.max_iterations;
  // The defaults and repetitions are measured beside what is searched.
  const beside = experiments.filter(({ role }) => role !== 'search').length;
  const blocks = experiments.map(({ id, experiment_id, status, role }) => ({
    id,
    experiment_id,
    status,
    role,
    is_best: id === task.best_experiment_id,
  }));
  return (
    <LiveProgressCard
      taskId={task.id}
      done={live?.done_experiments ?? done}
      planned={planned}
      again={live && { done: live.done_replicates, planned: live.planned_replicates }}
      eta={live?.eta_seconds}
      elapsed={<RunDuration task={task} />}
      waitingFor={task.waiting_for}
      isEnding={task.is_cancel_requested}
      blocks={
        <ProgressBlocks
          taskId={task.id}
          blocks={blocks}
          planned={Math.max(planned + beside, experiments.length)}
          made={experiments.length}
          succeeded={task.successful_experiments}
          most={200}
        />
      }
      best={
        best?.objective_value == null
          ? undefined
          : {
              number: best.experiment_id,
              value: withUnit(objectiveOf(task.optimization).kind, best.objective_value),
              gain: task.verdict?.gain_over_defaults,
              claim: task.verdict?.claim,
              feasibility: task.slo !== null && <SlosMet experiment={best} />,
            }
      }
    >
      {now.length === 0
        ? live && !task.waiting_for && <p className="px-4 py-3 text-muted">{t('tasks.live.preparing')}</p>
        : now.map((experiment) => (
            <NowRow key={experiment.experiment_id} task={task} experiment={experiment} />
          ))}
    </LiveProgressCard>
  );
}

function NowRow({ task, experiment }: { task: Task; experiment: LiveExperiment }) {
  const { experiment_id: number, phase, since, waiting_for, progress, parameters } = experiment;
  const told = useLiveProgress(task.id, number);
  const track = useProgressTrack(task.id, number);
  const word = phaseWord(told, phase);
  return (
    <div className="space-y-3 px-4 py-3">
      <ExperimentNow
        task={task.id}
        number={number}
        phase={word}
        since={word === phase ? since : null}
        waitingFor={task.waiting_for ? null : waiting_for}
        benchmark={told?.level === undefined ? (progress ?? undefined) : told}
        track={track}
      />
      {parameters && <ParameterChips parameters={parameters} most={12} />}
    </div>
  );
}
