/** What went wrong in a run, each kind once. */
import type { Experiment } from '@/api/queries/experiments';

export interface FailureKind {
  kind: string;
  experiments: Experiment[];
  /** What to do about it. */
  advice: string[];
  /** What the last of them said. */
  message: string | null;
}

/** Kinds that are nothing gone wrong: what somebody stopped, and what was not worth finishing. */
const HARMLESS = new Set(['cancelled', 'early_aborted']);

/** Whether it failed by itself. */
export function hasGoneWrong({ status, failure_kind }: Pick<Experiment, 'status' | 'failure_kind'>): boolean {
  return status === 'failed' && !HARMLESS.has(failure_kind ?? '');
}

/** An error message ends with the advice, which is shown on its own. */
function withoutAdvice(message: string | null | undefined, advice: string | null | undefined): string | null {
  if (!message) return null;
  return advice && message.endsWith(advice)
    ? message.slice(0, -advice.length).replace(/[;\s]+$/, '')
    : message;
}

/** The kinds of failures, the most frequent first. */
export function groupFailures(experiments: readonly Experiment[]): FailureKind[] {
  const kinds = new Map<string, FailureKind>();
  for (const experiment of experiments) {
    if (!hasGoneWrong(experiment)) continue;
    const kind = experiment.failure_kind ?? 'failed';
    const group = kinds.get(kind) ?? { kind, experiments: [], advice: [], message: null };
    group.experiments.push(experiment);
    const { advice } = experiment;
    group.message = withoutAdvice(experiment.error_message, advice) ?? group.message;
    if (advice && !group.advice.includes(advice)) group.advice.push(advice);
    kinds.set(kind, group);
  }
  return [...kinds.values()].sort((one, other) => other.experiments.length - one.experiments.length);
}
