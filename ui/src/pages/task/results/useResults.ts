/** Everything that the parts of the results look at, of the run that the address names. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Experiment, type Run, taskExperiments, taskRuns } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { asObject } from '@/components/experiment/free';
import { parametersAsText } from '@/components/experiment/parameters';
import {
  inOrder,
  type Objective,
  objectiveMetrics,
  objectiveOf,
  type SloBound,
  sloBounds,
} from '@/components/experiment/read';
import { useAddress } from '@/lib/address';
import { asNumber } from '@/lib/search';
import { withUnit } from '@/lib/units';

export interface Results {
  task: Task;
  /** The run that is shown, where it is not the current one. */
  run: number | undefined;
  /** That run, and all of them, latest first. */
  shown: Run | undefined;
  runs: readonly Run[];
  /** In the order in which they were made. */
  experiments: readonly Experiment[];
  objective: Objective;
  /** The metrics of all objectives, where there are several. */
  objectives: string[];
  bounds: readonly SloBound[];
  space: unknown;
  /** Experiments that stand out. */
  best: Experiment | undefined;
  baseline: Experiment | undefined;
  isRunning: boolean;
  /** The objective's name, and how its values are written. */
  name: string;
  format: (value: number) => string;
}

export interface ResultsState {
  results: Results | null;
  isLoading: boolean;
  error: Error | null;
  retry: () => void;
}

/** What an experiment is called in a chart, beside its number. */
export function noteOf(experiment: Experiment): string {
  return parametersAsText(experiment.parameters);
}

export function useResults(task: Task): ResultsState {
  const { t } = useTranslation();
  const [address] = useAddress();
  const wanted = asNumber(address.run);
  const run = wanted === undefined || wanted === task.run ? undefined : wanted;
  const list = useQuery(taskExperiments(task.id, run));
  const { data: runs } = useQuery(taskRuns(task.id));
  const results = useMemo<Results | null>(() => {
    if (!list.data) return null;
    const shown = runs?.find((each) => (run === undefined ? each.is_current : each.run === run));
    const document = asObject(run === undefined ? task : shown?.document);
    const objective = objectiveOf(document.optimization);
    const experiments = inOrder(list.data);
    const bestId = run === undefined ? task.best_experiment_id : shown?.best_experiment_id;
    return {
      task,
      run,
      shown,
      runs: runs ?? [],
      experiments,
      objective,
      objectives: objectiveMetrics(document.optimization),
      bounds: sloBounds(document.slo),
      space: document.parameters,
      best: experiments.find((each) => each.id === bestId),
      // One that was lost is measured again under a later number; the service goes by that one, too.
      baseline: experiments.findLast((each) => each.role === 'baseline'),
      isRunning: run === undefined && task.status === 'running',
      name: t(`experiments.objective.${objective.name}`, { defaultValue: objective.name }),
      format: (value) => withUnit(objective.kind, value),
    };
  }, [list.data, runs, run, task, t]);
  return { results, isLoading: list.isPending, error: list.error, retry: () => void list.refetch() };
}
