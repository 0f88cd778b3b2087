/** What the dashboard tells of the service, the machine, and what runs. */
import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../client';
import { keys } from '../keys';
import { experimentList } from './experiments';

export type DatabaseStatistics = Schemas['DatabaseStatistics'];
export type WorkerStatus = Schemas['WorkerStatus'];
export type Gpu = Schemas['GpuView'];

/** How often what no event tells is looked at, while the page can be seen. */
const EVERY = 5_000;

/** How many figures of the machine are kept: those of a minute. */
const KEPT = 13;

export const databaseStatistics = queryOptions({
  queryKey: keys.dashboard('statistics'),
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/dashboard/db-statistics', { signal })),
});

export const workerStatus = queryOptions({
  queryKey: keys.system('worker'),
  refetchInterval: 2 * EVERY,
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/dashboard/worker-status', { signal })),
});

/** More hours than these are not asked for again at every event: what is new could not be seen. */
const MOST_LIVE_HOURS = 24;

/** Experiments that began in the last hours, oldest first. */
export const timeline = (hours: number) =>
  queryOptions({
    queryKey: hours > MOST_LIVE_HOURS ? keys.system(`timeline-${hours}`) : keys.dashboard('timeline', hours),
    refetchInterval: hours > MOST_LIVE_HOURS ? 12 * EVERY : false,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/dashboard/experiment-timeline', { params: { query: { hours } }, signal })),
  });

/** The machine. What it does not tell is `null`. */
export type HostStatus = Schemas['HostStatus'];
export type Live = Schemas['LiveOverview'];

/** The latest figures, and one of the figures as it was during the last minute. */
export interface Sampled<Figures> {
  now: Figures;
  /** By name; the newest is last. */
  samples: Record<string, (number | null)[]>;
}

/** Puts the newest figures behind those before; what has gone is forgotten. */
export function sampled<Figures>(
  before: Sampled<Figures> | undefined,
  now: Figures,
  newest: Record<string, number | null>,
): Sampled<Figures> {
  const samples = Object.fromEntries(
    Object.entries(newest).map(([name, value]) => [
      name,
      [...(before?.samples[name] ?? []), value].slice(-KEPT),
    ]),
  );
  return { now, samples };
}

export const hostStatus = queryOptions({
  queryKey: keys.system('host'),
  refetchInterval: EVERY,
  queryFn: async ({ client, queryKey, signal }): Promise<Sampled<HostStatus>> => {
    const now = bodyOf(await api.GET('/api/dashboard/host-status', { signal }));
    return sampled(client.getQueryData<Sampled<HostStatus>>(queryKey), now, {
      cpu: now.cpu_percent ?? null,
      memory: now.memory_percent ?? null,
    });
  },
});

export const gpuStatus = queryOptions<Sampled<Gpu[]>>({
  queryKey: keys.system('gpus'),
  // Who has no GPU does not get one by being asked often.
  refetchInterval: ({ state: { data } }) => (data?.now.length === 0 ? 12 * EVERY : EVERY),
  queryFn: async ({ client, queryKey, signal }): Promise<Sampled<Gpu[]>> => {
    const { gpus } = bodyOf(await api.GET('/api/dashboard/gpu-status', { signal }));
    const now = gpus ?? [];
    const used = Object.fromEntries(now.map((gpu) => [gpu.uuid, gpu.utilization_percent ?? null]));
    return sampled(client.getQueryData<Sampled<Gpu[]>>(queryKey), now, used);
  },
});

/** Experiments that failed, the latest first: enough of them to count those of a day. */
export const recentFailures = experimentList({
  status: 'failed',
  sort: 'started',
  order: 'desc',
  brief: true,
  limit: 200,
});

/** Everything that is under way, and what waits for its turn. */
export const live = queryOptions({
  queryKey: keys.dashboard('live'),
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/live', { signal })),
});
