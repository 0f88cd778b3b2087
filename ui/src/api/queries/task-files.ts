/** Task documents: as files, checked, imported, and the demo's. */
import { queryOptions, useMutation } from '@tanstack/react-query';
import { api, ask, bodyOf, type Schemas } from '../client';
import { keys } from '../keys';
import { type TaskDocument, useTasksChanged } from './tasks';

export type ImportResult = Schemas['ImportResult'];
export type Checked = Schemas['Checked'];

export type FileFormat = 'yaml' | 'json';

/** Where a task's document is as a file. */
export const exportUrl = (id: number, format: FileFormat) => `api/tasks/${id}/export?format=${format}`;

/** A task's document as a text. */
export const taskFile = (id: number, format: FileFormat = 'yaml') =>
  queryOptions({
    queryKey: keys.task(id, 'file', format),
    queryFn: async ({ signal }) => (await ask(exportUrl(id, format), { signal })).text(),
  });

/** What a task would come to: its document, checked. */
export const taskCheck = (id: number) =>
  queryOptions({
    queryKey: keys.task(id, 'check'),
    queryFn: async ({ signal }) => {
      const document = (await (await ask(exportUrl(id, 'json'), { signal })).json()) as TaskDocument;
      return bodyOf(await api.POST('/api/tasks/check', { body: document, signal }));
    },
  });

/** What came of one file. */
export interface ImportedFile {
  name: string;
  results: ImportResult[];
  /** Why the file as a whole was refused. */
  error?: Error;
}

async function importFile(file: File): Promise<ImportedFile> {
  const type = /\.ya?ml$/i.test(file.name) ? 'application/yaml' : 'application/json';
  try {
    const response = await ask('api/tasks/import', {
      method: 'POST',
      body: await file.text(),
      headers: { 'Content-Type': type },
    });
    return { name: file.name, results: ((await response.json()) as Schemas['Imported']).results };
  } catch (error) {
    return { name: file.name, results: [], error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Makes tasks of files, one after another; tells what came of each. */
export function useImportTasks() {
  const changed = useTasksChanged();
  return useMutation({
    mutationFn: async (files: File[]) => {
      const told: ImportedFile[] = [];
      for (const file of files) told.push(await importFile(file));
      return told;
    },
    onSettled: () => changed(),
  });
}

/** Makes the demo's task and starts it. */
export function useStartDemo() {
  const changed = useTasksChanged();
  return useMutation({
    mutationFn: async () => {
      const document = bodyOf(await api.GET('/api/demo-task'));
      const made = bodyOf(await api.POST('/api/tasks', { body: document }));
      return bodyOf(await api.POST('/api/tasks/{id}/start', { params: { path: { id: made.id } } }));
    },
    onSuccess: (task) => changed(task),
    onError: () => changed(),
  });
}
