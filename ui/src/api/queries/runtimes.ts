/** Engines: what their parameters are, and the presets of values for them. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../client';
import { keys } from '../keys';

export type ParameterInfo = Schemas['ParameterInfo'];
export type RuntimeParameters = Schemas['RuntimeParameters'];
export type MergeStrategy = Schemas['MergeStrategy'];
export type MergedPresets = Schemas['MergedView'];

const LONG = 600_000;

/** What an engine's parameters are. */
export const runtimeParameters = (runtime: string) =>
  queryOptions({
    queryKey: keys.runtime(runtime, 'parameters'),
    staleTime: LONG,
    enabled: runtime !== '',
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/runtime-params/{runtime}', { params: { path: { runtime } }, signal })),
  });

/** The presets that an engine can use. */
export const presetsFor = (runtime: string) =>
  queryOptions({
    queryKey: keys.presets({ runtime }),
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/presets', { params: { query: { runtime } }, signal })),
  });

/** Several presets as one. */
export const mergedPresets = (ids: readonly number[], strategy: MergeStrategy) =>
  queryOptions({
    queryKey: keys.presets({ merged: ids, strategy }),
    placeholderData: keepPreviousData,
    enabled: ids.length > 0,
    queryFn: async ({ signal }) =>
      bodyOf(
        await api.POST('/api/presets/merge', {
          body: { preset_ids: [...ids], merge_strategy: strategy },
          signal,
        }),
      ),
  });

/** Whether this machine has a GPU that can be asked. */
export const gpusAre = queryOptions({
  queryKey: keys.system('has-gpu'),
  staleTime: LONG,
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/dashboard/gpu-status', { signal })).available,
});
