/** A task document that is being written: checked, its schema, where it comes from and where it goes. */
import { keepPreviousData, queryOptions, useMutation } from '@tanstack/react-query';
import { api, ask, bodyOf, type Schemas } from '../client';
import { keys } from '../keys';
import { type Task, type TaskDocument, useTasksChanged } from './tasks';

export type Checked = Schemas['Checked'];

/** Whatever is written so far; whether it is a task document is for the service to say. */
type Written = unknown;

/** What a document would come to. Another document ends the question about this one. */
export const checkOf = (document: Written) =>
  queryOptions({
    queryKey: keys.check(JSON.stringify(document)),
    staleTime: 60_000,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
    queryFn: async ({ signal }) =>
      bodyOf(await api.POST('/api/tasks/check', { body: document as TaskDocument, signal })),
  });

/** The JSON Schema of task documents. */
export const taskSchema = queryOptions({
  queryKey: keys.system('task-schema'),
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: async ({ signal }) =>
    (await (await ask('api/schema/task', { signal })).json()) as Record<string, unknown>,
});

/** The demo's document, under a free name. */
export const demoDocument = queryOptions({
  queryKey: keys.system('demo-task'),
  staleTime: 0,
  queryFn: async ({ signal }): Promise<Written> => (await ask('api/demo-task', { signal })).json(),
});

/** A task's document as it is kept, secrets as marks. */
export const documentOf = (id: number) =>
  queryOptions({
    queryKey: keys.task(id, 'document'),
    queryFn: async ({ signal }): Promise<Written> =>
      (await ask(`api/tasks/${id}/export?format=json`, { signal })).json(),
  });

/** The names of tasks that begin like this one, as far as the service tells them in one answer. */
export async function namesLike(name: string): Promise<Set<string>> {
  const query = { limit: 1000, q: name };
  const tasks = bodyOf(await api.GET('/api/tasks', { params: { query } }));
  return new Set(tasks.map(({ task_name }) => task_name));
}

/** Makes a task of a document, in the place of another where one is named. */
export function useSaveTask() {
  const changed = useTasksChanged();
  return useMutation({
    mutationFn: async ({ document, replaces }: { document: Written; replaces?: number }): Promise<Task> => {
      const body = document as TaskDocument;
      if (replaces === undefined) return bodyOf(await api.POST('/api/tasks', { body }));
      return bodyOf(await api.POST('/api/tasks/{id}/replace', { params: { path: { id: replaces } }, body }));
    },
    onSuccess: (task) => changed(task),
  });
}

/** Makes tasks of several documents. */
export function useImportDocuments() {
  const changed = useTasksChanged();
  return useMutation({
    mutationFn: async (documents: Written[]): Promise<Schemas['Imported']> =>
      bodyOf(await api.POST('/api/tasks/import', { body: documents as never })),
    onSettled: () => changed(),
  });
}
