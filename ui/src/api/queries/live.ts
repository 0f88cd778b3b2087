/** What runs at this moment. */
import { queryOptions, skipToken, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api, bodyOf, type Schemas } from '../client';
import { type LiveProgress, useServerEvents } from '../events';
import { keys } from '../keys';

export type LiveExperiment = Schemas['LiveExperiment'];
export type LiveTask = Schemas['LiveTask'];

/** What runs of one task. */
export const taskLive = (id: number) =>
  queryOptions({
    queryKey: keys.task(id, 'live'),
    staleTime: 2_000,
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/tasks/{id}/live', { params: { path: { id } }, signal })),
  });

/** What the benchmark of an experiment said last. */
export function useLiveProgress(task: number, experiment: number | undefined): LiveProgress | undefined {
  return useQuery<LiveProgress>({
    queryKey: keys.live(task, experiment ?? 0),
    queryFn: skipToken,
    staleTime: Number.POSITIVE_INFINITY,
  }).data;
}

/** What a benchmark has said since the page is open, in the order it came. */
export interface ProgressTrack {
  ttft: number[];
  tpot: number[];
  throughput: number[];
}

const NOTHING: ProgressTrack = { ttft: [], tpot: [], throughput: [] };
const LONGEST = 160;

function longer(points: number[], value: unknown): number[] {
  return typeof value === 'number' ? [...points.slice(1 - LONGEST), value] : points;
}

/** A track with one more event of its level. */
export function extendTrack(track: ProgressTrack, data: Record<string, unknown>): ProgressTrack {
  return {
    ttft: longer(track.ttft, data.ttft),
    tpot: longer(track.tpot, data.tpot),
    throughput: longer(track.throughput, data.output_throughput),
  };
}

/** Gathers what the benchmark of an experiment says; another level begins anew. */
export function useProgressTrack(task: number, experiment: number | undefined): ProgressTrack {
  const [state, setState] = useState<{ level: unknown; track: ProgressTrack }>({
    level: undefined,
    track: NOTHING,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another experiment begins anew
  useEffect(() => setState({ level: undefined, track: NOTHING }), [task, experiment]);
  useServerEvents((event) => {
    if (event.type !== 'benchmark_progress' && event.type !== 'experiment_progress') return;
    if (event.task_id !== task || event.experiment_id !== experiment || !event.data) return;
    const { data } = event;
    setState(({ level, track }) => ({
      level: data.level,
      track: extendTrack(level === data.level ? track : NOTHING, data),
    }));
  });
  return state.track;
}
