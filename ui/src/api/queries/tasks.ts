/** Tasks: what is asked of them, and what is done with them. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, pageOf, type Schemas } from '../client';
import { keys } from '../keys';
import type { paths } from '../schema';

export type TaskRow = Schemas['TaskRow'];
export type Task = Schemas['TaskView'];
export type TaskDocument = Schemas['TaskDocument'];
export type TaskListParams = NonNullable<paths['/api/tasks']['get']['parameters']['query']>;

export const TASK_STATUSES = ['pending', 'running', 'completed', 'failed', 'cancelled'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** One page of the list. */
export const taskList = (params: TaskListParams = {}) =>
  queryOptions({
    queryKey: keys.tasks(params),
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) => pageOf(await api.GET('/api/tasks', { params: { query: params }, signal })),
  });

/** One task, with its document and verdict. */
export const task = (id: number) =>
  queryOptions({
    queryKey: keys.task(id),
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/tasks/{id}', { params: { path: { id } }, signal })),
  });

/** What can be done with a task that answers with the task. */
export type TaskVerb = 'start' | 'cancel' | 'restart' | 'clear' | 'duplicate';

async function act(verb: TaskVerb, id: number): Promise<Task> {
  const params = { params: { path: { id } } };
  switch (verb) {
    case 'start':
      return bodyOf(await api.POST('/api/tasks/{id}/start', params));
    case 'cancel':
      return bodyOf(await api.POST('/api/tasks/{id}/cancel', params));
    case 'restart':
      return bodyOf(await api.POST('/api/tasks/{id}/restart', params));
    case 'clear':
      return bodyOf(await api.POST('/api/tasks/{id}/clear', params));
    case 'duplicate':
      return bodyOf(await api.POST('/api/tasks/{id}/duplicate', params));
  }
}

/** Asks again for all that a change of tasks may have changed. */
export function useTasksChanged() {
  const client = useQueryClient();
  return (task?: Task) => {
    if (task) client.setQueryData(keys.task(task.id), task);
    for (const word of ['tasks', 'task', 'experiments', 'dashboard']) {
      void client.invalidateQueries({ queryKey: [word] });
    }
  };
}

export function useTaskAction() {
  const changed = useTasksChanged();
  return useMutation({
    mutationFn: ({ verb, id }: { verb: TaskVerb; id: number }) => act(verb, id),
    onSuccess: (task) => changed(task),
    onError: () => changed(),
  });
}

export function useDeleteTask() {
  const changed = useTasksChanged();
  return useMutation({
    mutationFn: (id: number) => api.DELETE('/api/tasks/{id}', { params: { path: { id } } }),
    onSettled: () => changed(),
  });
}

export function useCreateTask() {
  const changed = useTasksChanged();
  return useMutation({
    mutationFn: async (body: TaskDocument) => bodyOf(await api.POST('/api/tasks', { body })),
    onSuccess: (task) => changed(task),
  });
}
