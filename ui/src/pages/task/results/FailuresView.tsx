/** What does not work: where, as far as rules explain it, and what failed, by kind, with what to do about it. */
import { useQuery } from '@tanstack/react-query';
import { CircleCheck, Lightbulb } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { type FailureGroup, taskInsight } from '@/api/queries/experiments';
import { Card } from '@/components/Card';
import { ExperimentLinks } from '@/components/experiment/ExperimentLinks';
import { FailureBadge } from '@/components/experiment/parts';
import { messageAlone } from '@/components/experiment/read';
import { Empty } from '@/components/States';
import { useAddress } from '@/lib/address';
import { FeasibilityCards } from './FeasibilityCards';
import type { Results } from './useResults';

/** Failures by their kind, most frequent first, told from the experiments alone. */
export function failureGroups(experiments: readonly Experiment[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const { status, failure_kind, experiment_id, advice } of experiments) {
    const kind = failure_kind ?? 'unknown';
    // What was given up works.
    if (status !== 'failed' || kind === 'early_aborted') continue;
    const group = groups.get(kind) ?? { kind, n: 0, experiment_ids: [], advice: null };
    group.n += 1;
    group.experiment_ids.push(experiment_id);
    group.advice ??= advice ?? null;
    groups.set(kind, group);
  }
  return [...groups.values()].sort((a, b) => b.n - a.n);
}

/** Most numbers that are listed of one kind. */
const MOST = 24;

export function FailuresView({ results }: { results: Results }) {
  const { t } = useTranslation();
  const [, change] = useAddress();
  const { data } = useQuery(taskInsight(results.task.id, results.run));
  const groups = failureGroups(results.experiments);
  const advice = new Map(data?.failures.map((group) => [group.kind, group.advice]));
  const hasMissed = results.experiments.some((each) => each.feasible === false);
  if (groups.length === 0 && !hasMissed)
    return (
      <div className="card">
        <Empty icon={CircleCheck} title={t('results.failures.none')} />
      </div>
    );
  return (
    <div className="grid gap-4">
      <FeasibilityCards results={results} />
      <div className="grid gap-4 lg:grid-cols-2">
        {groups.map((group) => {
          const example = results.experiments.find(
            (each) => each.status === 'failed' && (each.failure_kind ?? 'unknown') === group.kind,
          );
          const what = advice.get(group.kind) ?? group.advice;
          return (
            <Card
              key={group.kind}
              title={
                <span className="flex items-center gap-2">
                  <FailureBadge kind={group.kind} />
                  <span className="font-normal text-muted">{t('experiments.count', { count: group.n })}</span>
                </span>
              }
              actions={
                <button
                  type="button"
                  className="rounded px-2 py-1 text-accent text-xs hover:bg-accent-soft"
                  onClick={() => change({ failure: group.kind, state: undefined, q: undefined })}
                >
                  {t('results.failures.show')}
                </button>
              }
            >
              {what && (
                <p className="mb-3 flex gap-2 rounded-lg bg-info-soft p-3 text-info">
                  <Lightbulb aria-hidden className="mt-0.5 size-4 shrink-0" />
                  <span className="min-w-0 break-words">{what}</span>
                </p>
              )}
              {example?.error_message && (
                <p className="line-clamp-4 font-mono text-muted text-xs break-words">
                  {messageAlone(example.error_message, example.advice)}
                </p>
              )}
              <p className="mt-3">
                <ExperimentLinks
                  taskId={results.task.id}
                  run={results.run}
                  numbers={group.experiment_ids}
                  most={MOST}
                />
              </p>
            </Card>
          );
        })}
      </div>
    </div>
  );
}
