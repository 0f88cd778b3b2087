/** Presets: values of parameters that are worth trying, kept under a name. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, type Schemas } from '../client';
import { keys } from '../keys';

export type Preset = Schemas['PresetView'];
export type PresetBody = Schemas['PresetBody'];
export type PresetFile = Schemas['PresetFile'];
export type MergeStrategy = Schemas['MergeStrategy'];

export const MERGE_STRATEGIES = ['union', 'intersection', 'last_wins'] as const satisfies MergeStrategy[];

/** All of them, by name; with an engine, those that it can use. */
export const presetList = (runtime?: string) =>
  queryOptions({
    queryKey: keys.presets({ runtime }),
    queryFn: async ({ signal }) =>
      bodyOf(await api.GET('/api/presets', { params: { query: { runtime } }, signal })),
  });

/** Where a preset is as a file. */
export const presetUrl = (id: number) => `api/presets/${id}/export`;

function usePresetsChanged() {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ['presets'] });
}

/** Keeps a preset: a new one where there is no id. */
export function useSavePreset() {
  const changed = usePresetsChanged();
  return useMutation({
    mutationFn: async ({ id, body }: { id: number | undefined; body: PresetBody }): Promise<Preset> =>
      id === undefined
        ? bodyOf(await api.POST('/api/presets', { body }))
        : bodyOf(await api.PUT('/api/presets/{id}', { params: { path: { id } }, body })),
    onSuccess: changed,
  });
}

export function useDeletePreset() {
  const changed = usePresetsChanged();
  return useMutation({
    mutationFn: (id: number) => api.DELETE('/api/presets/{id}', { params: { path: { id } } }),
    onSettled: changed,
  });
}

/** Keeps the preset of a file. */
export function useImportPreset() {
  const changed = usePresetsChanged();
  return useMutation({
    mutationFn: async (file: File): Promise<Preset> => {
      let body: PresetFile;
      try {
        body = JSON.parse(await file.text()) as PresetFile;
      } catch {
        throw new Error(`${file.name} is not JSON`);
      }
      return bodyOf(await api.POST('/api/presets/import', { body }));
    },
    onSuccess: changed,
  });
}
