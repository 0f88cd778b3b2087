/** Where the form's document comes from: nothing, a pending task that is edited, or a task that is copied. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { keys } from '@/api/keys';
import { documentOf, namesLike } from '@/api/queries/check';
import { gpusAre, type MergedPresets, type MergeStrategy, mergedPresets } from '@/api/queries/runtimes';
import { systemInfo } from '@/api/queries/system';
import { type Task, task } from '@/api/queries/tasks';
import { type Json, put } from '@/components/form/json';
import { asNumber, asWord, type Search } from '@/lib/search';

export interface Source {
  mode: 'new' | 'edit' | 'from';
  /** The task that is edited or copied. */
  id?: number;
  /** The presets that a new task begins with, and how they become one. */
  presets?: readonly number[];
  merge?: MergeStrategy;
  /** Its name in this browser's drafts. */
  key: string;
}

const STRATEGIES = ['union', 'intersection', 'last_wins'] as const satisfies readonly MergeStrategy[];

/** What the address asks for. */
export function sourceOf(search: Search): Source {
  const edit = asNumber(search.edit);
  if (edit !== undefined) return { mode: 'edit', id: edit, key: `edit:${edit}` };
  const from = asNumber(search.from);
  if (from !== undefined) return { mode: 'from', id: from, key: `from:${from}` };
  const presets = (search.presets ?? '').split(',').flatMap((id) => asNumber(id) ?? []);
  if (presets.length === 0) return { mode: 'new', key: 'new' };
  const merge = asWord(search.merge, STRATEGIES) ?? 'union';
  return { mode: 'new', presets, merge, key: `presets:${presets.join(',')}:${merge}` };
}

/** What a new task begins with. */
export function newDocument(hasGpu: boolean, mode: string): Json {
  return {
    task_name: '',
    deployment_mode: hasGpu ? mode : 'local',
    base_runtime: hasGpu ? 'vllm' : 'sim',
    model: { id_or_path: hasGpu ? '' : 'sim-model' },
    parameters: {},
    optimization: { strategy: 'grid_search', objective: 'maximize_throughput' },
    benchmark: {
      traffic_scenarios: [hasGpu ? 'D(512,128)' : 'D(64,32)'],
      num_concurrency: hasGpu ? [1, 8, 32] : [4, 16],
      max_time_per_iteration: hasGpu ? 30 : 2,
      max_requests_per_iteration: hasGpu ? 200 : 64,
    },
  };
}

/** The same with the parameters of presets, for their engine. */
export function withPresets(hasGpu: boolean, mode: string, merged: MergedPresets): Json {
  const { runtime, parameters } = merged;
  const begun = newDocument(hasGpu || (runtime !== null && runtime !== undefined && runtime !== 'sim'), mode);
  const forEngine = runtime ? put(begun, ['base_runtime'], runtime) : begun;
  return put(forEngine, ['parameters'], parameters as Json);
}

/** A name like this one that no task has. */
export async function freeName(name: string, taken = namesLike): Promise<string> {
  const stem = `${name.slice(0, 190)}-copy`;
  const names = await taken(stem);
  let wanted = stem;
  for (let number = 2; names.has(wanted); number += 1) wanted = `${stem}-${number}`;
  return wanted;
}

export interface Loaded {
  document?: Json;
  /** The task that is edited or copied, where it is known. */
  task?: Task;
  error?: Error | null;
  retry: () => void;
}

/** The document to begin with. It is asked for once: what is typed is not overwritten. */
export function useSource(source: Source): Loaded {
  const isNew = source.mode === 'new';
  const [loaded, setLoaded] = useState<{ key: string; document: Json; task?: Task }>();
  const isThere = loaded?.key === source.key;
  const info = useQuery({ ...systemInfo, enabled: isNew && !isThere });
  const gpus = useQuery({ ...gpusAre, enabled: isNew && !isThere });
  const id = source.id ?? 0;
  const of = useQuery({ ...task(id), enabled: !isNew && !isThere });
  const kept = useQuery({ ...documentOf(id), enabled: !isNew && !isThere });
  const presets = source.presets ?? [];
  const merged = useQuery({
    ...mergedPresets(presets, source.merge ?? 'union'),
    enabled: presets.length > 0 && !isThere,
  });
  const hasPresets = presets.length === 0 || (merged.isSuccess && !merged.isPlaceholderData);
  const isReady = isNew
    ? // Without these the form begins all the same.
      !info.isPending && !gpus.isPending && hasPresets
    : of.data !== undefined && kept.data !== undefined && !of.isFetching && !kept.isFetching;
  const copied = useQuery({
    queryKey: keys.task(id, 'free-name'),
    enabled: source.mode === 'from' && isReady && !isThere,
    staleTime: 0,
    queryFn: () => freeName(of.data?.task_name ?? 'task'),
  });
  const hasName = source.mode !== 'from' || (copied.isSuccess && !copied.isFetching);
  useEffect(() => {
    if (isThere || !isReady || !hasName) return;
    const mode = info.data?.deployment_mode ?? 'docker';
    const begun =
      presets.length > 0 && merged.data
        ? withPresets(gpus.data ?? false, mode, merged.data)
        : newDocument(gpus.data ?? false, mode);
    const written = isNew ? begun : (kept.data as Json);
    const document = copied.data === undefined ? written : put(written, ['task_name'], copied.data);
    setLoaded({ key: source.key, document, task: of.data });
  }, [
    isThere,
    isReady,
    hasName,
    isNew,
    gpus.data,
    info.data,
    kept.data,
    copied.data,
    merged.data,
    presets.length,
    of.data,
    source.key,
  ]);
  const retry = () => {
    for (const query of [info, gpus, of, kept, copied, merged]) if (query.isError) void query.refetch();
  };
  if (isThere) return { document: loaded.document, task: loaded.task, retry };
  return { error: isNew ? merged.error : (of.error ?? kept.error ?? copied.error), retry };
}
