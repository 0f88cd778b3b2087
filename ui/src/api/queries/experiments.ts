/** Experiments, of one task and of all; and what results say beside them. */
import { keepPreviousData, queryOptions, skipToken } from '@tanstack/react-query';
import { api, ask, bodyOf, type Page, pageOf, type Schemas } from '../client';
import type { LiveProgress } from '../events';
import { keys } from '../keys';
import type { paths } from '../schema';
import type { Task } from './tasks';

export type Experiment = Schemas['ExperimentView'];
export type Run = Schemas['RunView'];
export type FailureGroup = Pick<Schemas['FailureGroupView'], 'kind' | 'n' | 'experiment_ids' | 'advice'>;
export type ExperimentListParams = NonNullable<paths['/api/experiments']['get']['parameters']['query']>;

export const EXPERIMENT_STATUSES = ['pending', 'deploying', 'benchmarking', 'success', 'failed'] as const;
export const ROLES = ['baseline', 'search', 'replicate'] as const;
export const FAILURES = [
  'invalid_candidate',
  'out_of_memory',
  'engine_crashed',
  'not_ready_in_time',
  'benchmark_failed',
  'early_aborted',
  'client_limited',
  'infrastructure',
  'worker_lost',
  'cancelled',
] as const;

/** One page of all experiments. */
export const experimentList = (params: ExperimentListParams = {}) =>
  queryOptions({
    queryKey: keys.experiments(params),
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }): Promise<Page<Experiment>> =>
      pageOf(await api.GET('/api/experiments', { params: { query: params }, signal })),
  });

/** By its global id, with everything. */
export const experiment = (id: number) =>
  queryOptions({
    queryKey: keys.experiment(id),
    queryFn: async ({ signal }): Promise<Experiment> =>
      bodyOf(await api.GET('/api/experiments/{id}', { params: { path: { id } }, signal })),
  });

/** As many as one answer can have. */
const LIMIT = 1000;

/** Every experiment of a run, oldest first, without what only one experiment's page shows. */
export const taskExperiments = (task: number, run?: number) =>
  queryOptions({
    queryKey: keys.task(task, 'experiments', run ?? 'current'),
    placeholderData: (before: Experiment[] | undefined, query) =>
      query?.queryKey[1] === task ? before : undefined,
    queryFn: async ({ signal }): Promise<Experiment[]> => {
      const all: Experiment[] = [];
      for (;;) {
        const query = { skip: all.length, limit: LIMIT, brief: true };
        const page = pageOf<Experiment>(
          run === undefined
            ? await api.GET('/api/experiments/task/{task_id}', {
                params: { path: { task_id: task }, query },
                signal,
              })
            : await api.GET('/api/tasks/{id}/runs/{run}/experiments', {
                params: { path: { id: task, run }, query },
                signal,
              }),
        );
        all.push(...page.items);
        if (page.items.length === 0 || all.length >= page.total) return all;
      }
    },
  });

/** Every run of a task, latest first. */
export const taskRuns = (task: number) =>
  queryOptions({
    queryKey: keys.task(task, 'runs'),
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/tasks/{id}/runs', { params: { path: { id: task } }, signal })),
  });

/** A task with the document that one of its runs had: a task may be edited between two runs. */
export function taskOfRun(task: Task, run: number, runs: readonly Run[] | undefined): Task {
  const document = run === task.run ? undefined : runs?.find((each) => each.run === run)?.document;
  if (typeof document !== 'object' || document === null) return task;
  const { model, optimization, benchmark, slo = null, parameters } = document as Partial<Task>;
  return { ...task, model, optimization, benchmark, slo, parameters };
}

export const BEST_FORMATS = ['command', 'docker', 'compose', 'kubernetes'] as const;
export type BestFormat = (typeof BEST_FORMATS)[number];

/** The best configuration of the current run as something to use. */
export const bestConfiguration = (task: number, format: BestFormat) =>
  queryOptions({
    queryKey: keys.task(task, 'best', format),
    retry: false,
    queryFn: async ({ signal }) => (await ask(`api/tasks/${task}/best?format=${format}`, { signal })).text(),
  });

/** Where the current run's results are as a file. */
export const resultsUrl = (task: number, format: 'json' | 'csv') =>
  `api/tasks/${task}/results?format=${format}`;

/** What the service reads out of a run. */
export const taskInsight = (task: number, run?: number) =>
  queryOptions({
    queryKey: keys.task(task, 'insight', run ?? 'current'),
    queryFn: async ({ signal }) =>
      bodyOf(
        await api.GET('/api/tasks/{id}/insight', {
          params: { path: { id: task }, query: run === undefined ? {} : { run } },
          signal,
        }),
      ),
  });

/** How far an experiment's benchmark is; only events write it. */
export const liveProgress = (task: number, experiment: number) =>
  queryOptions<LiveProgress>({ queryKey: keys.live(task, experiment), queryFn: skipToken });
