/** Containers of the Docker daemon: which there are, what they use, and what is done with them. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { ApiError, api, bodyOf, type Schemas } from '../client';
import { keys } from '../keys';

export type Container = Schemas['ContainerInfo'];
export type ContainerStats = Schemas['ContainerStats'];
export type DockerInfo = Schemas['DockerInfo'];
export type BulkResult = Schemas['BulkContainersResult'];

export const ACTIONS = ['start', 'stop', 'restart', 'pause', 'unpause', 'remove'] as const;
export type ContainerAction = (typeof ACTIONS)[number];

/** How often a daemon that is away is looked for. */
const LOOK = 5_000;

/** Nobody else tells that a daemon is back that was never there. */
export function lookAgain(query: { state: { error: Error | null } }): number | false {
  return query.state.error instanceof ApiError && query.state.error.status === 503 ? LOOK : false;
}

/** Every container, newest first. */
export const containerList = queryOptions({
  queryKey: keys.containers(),
  placeholderData: keepPreviousData,
  refetchInterval: lookAgain,
  queryFn: async ({ signal }) =>
    bodyOf(await api.GET('/api/docker/containers', { params: { query: { all: true } }, signal })),
});

/** One, by its id, its name or the beginning of its id. */
export const containerDetail = (id: string) =>
  queryOptions({
    queryKey: keys.container(id),
    refetchInterval: lookAgain,
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/docker/containers/{id}', { params: { path: { id } }, signal })),
  });

export const dockerInfo = queryOptions({
  queryKey: keys.docker('info'),
  refetchInterval: lookAgain,
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/docker/info', { signal })),
});

/** What a container uses now, for lists. The service measures once for everybody who looks. */
export const containerUsage = (id: string) =>
  queryOptions({
    queryKey: ['container-usage', id],
    refetchInterval: 5_000,
    staleTime: 4_000,
    retry: false,
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/docker/containers/{id}/stats', { params: { path: { id } }, signal })),
  });

/** The figures of the last five minutes. */
export async function containerHistory(id: string, signal: AbortSignal): Promise<ContainerStats[]> {
  const params = { path: { id } };
  return bodyOf(await api.GET('/api/docker/containers/{id}/stats/history', { params, signal }));
}

/** What is done with one. Gives what the service says of it. */
export interface Wish {
  id: string;
  action: ContainerAction;
  force?: boolean;
}

interface Done {
  message: string;
  warning?: string | null;
}

async function act({ id, action, force = false }: Wish): Promise<Done> {
  const path = { id };
  switch (action) {
    case 'remove':
      return bodyOf(
        await api.DELETE('/api/docker/containers/{id}', { params: { path, query: { force } } }),
      ) as Done;
    case 'start':
      return bodyOf(await api.POST('/api/docker/containers/{id}/start', { params: { path } })) as Done;
    case 'stop':
      return bodyOf(await api.POST('/api/docker/containers/{id}/stop', { params: { path } })) as Done;
    case 'restart':
      return bodyOf(await api.POST('/api/docker/containers/{id}/restart', { params: { path } })) as Done;
    case 'pause':
      return bodyOf(await api.POST('/api/docker/containers/{id}/pause', { params: { path } })) as Done;
    case 'unpause':
      return bodyOf(await api.POST('/api/docker/containers/{id}/unpause', { params: { path } })) as Done;
  }
}

/** Whatever came of it, the list is asked for again. */
function useAfterwards() {
  const client = useQueryClient();
  return () =>
    Promise.all(
      ['containers', 'container', 'docker'].map((word) => client.invalidateQueries({ queryKey: [word] })),
    );
}

export function useContainerAction() {
  const onSettled = useAfterwards();
  return useMutation({ mutationFn: act, onSettled });
}

/** The same with many. */
export function useBulkAction() {
  const onSettled = useAfterwards();
  return useMutation({
    mutationFn: async ({
      force = false,
      ...wish
    }: {
      action: ContainerAction;
      ids: string[];
      force?: boolean;
    }) => bodyOf(await api.POST('/api/docker/containers/bulk', { body: { ...wish, force, timeout: null } })),
    onSettled,
  });
}
