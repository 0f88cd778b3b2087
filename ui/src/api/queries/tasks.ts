/** Tasks: what is asked of them, and what is done with them. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, pageOf, type Schemas } from '../client';
import { keys } from '../keys';
import type { paths } from '../schema';

export type TaskRow = Schemas['TaskRow'];
/** One experiment of a row, as small as it is drawn. */
export type Block = Schemas['BlockView'];
export type Task = Schemas['TaskView'];
export type Verdict = Schemas['VerdictView'];
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
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => api.DELETE('/api/tasks/{id}', { params: { path: { id } } }),
    onSuccess: (_, id) => {
      // What is gone is not asked for again.
      client.removeQueries({ queryKey: ['task', id], type: 'inactive' });
    },
    onSettled: () => changed(),
  });
}

/** Changes what is said of a task for people. */
export function useDescribeTask(id: number) {
  const changed = useTasksChanged();
  return useMutation({
    mutationFn: async (description: string | null) =>
      bodyOf(
        await api.PATCH('/api/tasks/{id}', { params: { path: { id } }, body: { description } as never }),
      ),
    onSuccess: (task) => changed(task),
  });
}

/** Empties the log of a task. */
export function useClearLog(id: number) {
  return useMutation({
    mutationFn: () => api.DELETE('/api/tasks/{id}/logs', { params: { path: { id } } }),
  });
}

export type BulkAction = Schemas['Action'];
export type BulkAnswer = Schemas['BulkAnswer'];

/** Does one thing to many tasks. */
export function useBulkAction() {
  const changed = useTasksChanged();
  return useMutation({
    mutationFn: async (body: Schemas['BulkRequest']) => bodyOf(await api.POST('/api/tasks/bulk', { body })),
    onSettled: () => changed(),
  });
}
