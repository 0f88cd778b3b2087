/** What went wrong lately, by kind. */

export interface FailedExperiment {
  id: number;
  task_id: number;
  task_name?: string | null;
  experiment_id: number;
  status: string;
  failure_kind?: string | null;
  error_message?: string | null;
  advice?: string | null;
  created_at: string;
  completed_at?: string | null;
}

export interface FailureGroup {
  kind: string;
  count: number;
  tasks: number[];
  latest: FailedExperiment;
}

/** Groups those that failed since a moment, the commonest kind first; what was cancelled is last. */
export function failuresSince(experiments: readonly FailedExperiment[], since: number): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const one of experiments) {
    const at = new Date(one.completed_at ?? one.created_at).getTime();
    const kind = one.failure_kind ?? 'unknown';
    if (one.status !== 'failed' || at < since || kind === 'early_aborted') continue;
    const group = groups.get(kind);
    if (!group) {
      groups.set(kind, { kind, count: 1, tasks: [one.task_id], latest: one });
      continue;
    }
    group.count += 1;
    if (!group.tasks.includes(one.task_id)) group.tasks.push(one.task_id);
    if (one.id > group.latest.id) group.latest = one;
  }
  const rank = ({ kind, count }: FailureGroup) => (kind === 'cancelled' ? -1 : count);
  return [...groups.values()].sort((one, other) => rank(other) - rank(one));
}
