/** Every experiment of the current run. */
import { useQuery } from '@tanstack/react-query';
import { taskExperiments } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { ExperimentTable } from '@/components/experiment/ExperimentTable';
import { objectiveOf } from '@/components/experiment/read';
import { Failed } from '@/components/States';

export function ExperimentsPart({ task }: { task: Task }) {
  const { data, error, isPending, refetch } = useQuery(taskExperiments(task.id));
  if (error && !data) return <Failed error={error} onRetry={() => void refetch()} className="card" />;
  return (
    <div className="card overflow-hidden">
      <ExperimentTable
        experiments={data ?? []}
        objective={objectiveOf(task.optimization)}
        best={task.best_experiment_id}
        isLoading={isPending}
      />
    </div>
  );
}
