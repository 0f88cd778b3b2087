/** A run in a few figures. */
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { Figure } from '@/components/Card';
import { objectiveOf } from '@/components/experiment/read';
import { Time } from '@/components/Time';
import { hasGoneWrong } from '@/components/task/failures';
import { RunDuration } from '@/components/task/RunDuration';
import { number, percent } from '@/lib/format';
import { withUnit } from '@/lib/units';

export function KeyFigures({ task, experiments }: { task: Task; experiments: readonly Experiment[] }) {
  const { t } = useTranslation();
  const { total_experiments: made, successful_experiments: done } = task;
  const ended = experiments.filter(({ status }) => status === 'success' || status === 'failed').length;
  const objective = objectiveOf(task.optimization);
  const best = experiments.find(({ id }) => id === task.best_experiment_id);
  const failed = experiments.filter(hasGoneWrong).length;
  return (
    <section aria-label={t('tasks.figures.label')} className="card p-4">
      <div className="grid grid-cols-2 gap-x-4 gap-y-4 sm:grid-cols-3 lg:grid-cols-6">
        <Figure
          label={t(`objectives.${objective.name}`, { defaultValue: objective.name })}
          value={best?.objective_value == null ? '–' : withUnit(objective.kind, best.objective_value)}
          hint={best && t('tasks.figures.inExperiment', { number: best.experiment_id })}
        />
        <Figure
          label={t('tasks.column.experiments')}
          value={number(made, 9)}
          hint={t('tasks.figures.searched', { count: task.max_iterations })}
        />
        <Figure
          label={t('tasks.figures.succeeded')}
          value={number(done, 9)}
          hint={ended > 0 ? percent(done / ended, 0) : undefined}
        />
        <Figure
          label={t('status.failed')}
          value={number(failed, 9)}
          tone={failed > 0 ? 'text-bad' : undefined}
        />
        <Figure
          label={t('tasks.column.duration')}
          value={<RunDuration task={task} />}
          hint={task.run > 1 ? t('tasks.figures.run', { run: task.run }) : undefined}
        />
        <Figure
          label={t(task.completed_at ? 'tasks.figures.ended' : 'tasks.figures.started')}
          value={<Time at={task.completed_at ?? task.started_at} />}
          hint={
            task.completed_at && (
              <>
                {t('tasks.figures.started')} <Time at={task.started_at} style="clock" />
              </>
            )
          }
        />
      </div>
      {task.ended_because && (
        <p className="mt-3 border-line border-t pt-3 text-muted text-sm">
          {t('tasks.figures.because', { why: task.ended_because })}
        </p>
      )}
    </section>
  );
}
