/** Experiments, of one task and of all; and what results say beside them. */
import { keepPreviousData, queryOptions, skipToken } from '@tanstack/react-query';
import { ApiError, api, ask, bodyOf, type Page, pageOf, type Schemas } from '../client';
import type { LiveProgress } from '../events';
import { keys } from '../keys';
import type { paths } from '../schema';

export type Experiment = Schemas['ExperimentView'] & { task_name?: string };
export type Run = Schemas['RunView'];
type Listed = NonNullable<paths['/api/experiments']['get']['parameters']['query']>;
export type ExperimentListParams = Listed & {
  task_id?: number;
  status?: string;
  failure_kind?: string;
  role?: string;
  runtime?: string;
  q?: string;
  sort?: string;
  order?: string;
  brief?: boolean;
};

export const EXPERIMENT_STATUSES = ['pending', 'deploying', 'benchmarking', 'success', 'failed'] as const;
export type ExperimentStatus = (typeof EXPERIMENT_STATUSES)[number];
export const ROLES = ['baseline', 'search', 'replicate'] as const;
export const FAILURES = [
  'invalid_candidate',
  'out_of_memory',
  'engine_crashed',
  'not_ready_in_time',
  'benchmark_failed',
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
      pageOf(await api.GET('/api/experiments', { params: { query: params as Listed }, signal })),
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
        const query = { skip: all.length, limit: LIMIT, brief: true } as { skip: number; limit: number };
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

export interface InsightParameter {
  name: string;
  importance: number;
  low: number | null;
  high: number | null;
}

export interface Slice {
  name: string;
  kind: 'categorical' | 'integer' | 'continuous' | 'boolean';
  points: { value: unknown; score: number; experiment_id: number; feasible: boolean | null }[];
  groups?: { value: unknown; n: number; median: number; best: number }[] | null;
}

export interface FailureGroup {
  kind: string;
  n: number;
  experiment_ids: number[];
  advice: string | null;
}

export interface Insight {
  experiments_used: number;
  parameters: InsightParameter[];
  slices: Slice[];
  failures: FailureGroup[];
  note: string | null;
}

/** What the service reads out of a run; `null` where it does not read any. */
export const taskInsight = (task: number, run?: number) =>
  queryOptions({
    queryKey: keys.task(task, 'insight', run ?? 'current'),
    queryFn: async ({ signal }): Promise<Insight | null> => {
      try {
        const response = await ask(`api/tasks/${task}/insight${run ? `?run=${run}` : ''}`, { signal });
        return (await response.json()) as Insight;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
  });

/** How far an experiment's benchmark is; only events write it. */
export const liveProgress = (task: number, experiment: number) =>
  queryOptions<LiveProgress>({ queryKey: keys.live(task, experiment), queryFn: skipToken });
