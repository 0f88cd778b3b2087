/** Pods of our experiments in a Kubernetes cluster: which there are, and what is done with them. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError, api, bodyOf, type Schemas } from '../client';
import { keys } from '../keys';

export type Pod = Schemas['PodInfo'];
export type PodWhole = Schemas['PodWhole'];

/** Nobody tells of pods, so they are asked for as often as something may be seen to change. */
const LOOK = 3_000;

/** How often a cluster is asked that is away, or would not tell. */
const LOOK_AGAIN = 10_000;

function pause(query: { state: { error: Error | null } }): number | false {
  const { error } = query.state;
  if (error === null) return LOOK;
  return error instanceof ApiError && error.status >= 400 && error.status < 500 ? false : LOOK_AGAIN;
}

/** All of them, newest first. */
export const podList = queryOptions({
  queryKey: keys.pods(),
  placeholderData: keepPreviousData,
  refetchInterval: pause,
  retry: false,
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/kubernetes/pods', { signal })),
});

/** One, by its name, with its containers and events. */
export const podDetail = (name: string) =>
  queryOptions({
    queryKey: keys.pod(name),
    refetchInterval: pause,
    retry: false,
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/kubernetes/pods/{name}', { params: { path: { name } }, signal })),
  });

/** Which cluster it is. */
export const clusterInfo = queryOptions({
  queryKey: keys.cluster,
  staleTime: 60_000,
  retry: false,
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/kubernetes/info', { signal })),
});

/** Deletes one; whatever came of it, all are asked for again. Gives what the service says of it. */
export function useDeletePod() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ name, force }: { name: string; force: boolean }) =>
      bodyOf(
        await api.DELETE('/api/kubernetes/pods/{name}', { params: { path: { name }, query: { force } } }),
      ),
    onSettled: () =>
      Promise.all(['pods', 'pod'].map((word) => client.invalidateQueries({ queryKey: [word] }))),
  });
}
