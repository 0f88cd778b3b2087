/** Experiments. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, bodyOf, pageOf, type Schemas } from '../client';
import { keys } from '../keys';
import type { paths } from '../schema';

export type Experiment = Schemas['ExperimentView'];
export type ExperimentListParams = NonNullable<paths['/api/experiments']['get']['parameters']['query']>;

export const EXPERIMENT_STATUSES = ['pending', 'deploying', 'benchmarking', 'success', 'failed'] as const;
export type ExperimentStatus = (typeof EXPERIMENT_STATUSES)[number];

export const experimentList = (params: ExperimentListParams = {}) =>
  queryOptions({
    queryKey: keys.experiments(params),
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) =>
      pageOf(await api.GET('/api/experiments', { params: { query: params }, signal })),
  });

/** By its global id. */
export const experiment = (id: number) =>
  queryOptions({
    queryKey: keys.experiment(id),
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/experiments/{id}', { params: { path: { id } }, signal })),
  });
