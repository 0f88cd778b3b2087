/** What a run has found out, in the service's words, with the figures behind it. */

import { useQuery } from '@tanstack/react-query';
import {
  CircleCheck,
  CircleHelp,
  CircleX,
  Equal,
  type LucideIcon,
  ShieldCheck,
  Star,
  TrendingUp,
  TriangleAlert,
} from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Experiment, experiment as experimentQuery } from '@/api/queries/experiments';
import { Badge } from '@/components/Badge';
import type { Tone } from '@/components/Button';
import { Figure } from '@/components/Card';
import { experimentHref } from '@/components/experiment/columns';
import { differences } from '@/components/experiment/parameters';
import { useViolationText } from '@/components/experiment/parts';
import { gainOver, levelsOf } from '@/components/experiment/read';
import { IntervalLine } from '@/components/experiment/Sure';
import { TrustBadges } from '@/components/experiment/TrustBadges';
import { doOverlap, scoredInterval } from '@/components/experiment/worth';
import { gain } from '@/lib/format';
import { BestParameters } from './BestParameters';
import type { Results } from './useResults';

const CLAIMS: Record<string, { tone: Tone; icon: LucideIcon }> = {
  gain: { tone: 'good', icon: TrendingUp },
  meets_slos: { tone: 'good', icon: ShieldCheck },
  no_gain: { tone: 'neutral', icon: Equal },
  undecided: { tone: 'neutral', icon: CircleHelp },
  unconfirmed: { tone: 'neutral', icon: CircleHelp },
  only_defaults: { tone: 'neutral', icon: CircleHelp },
  no_baseline: { tone: 'warn', icon: TriangleAlert },
  nothing_feasible: { tone: 'warn', icon: TriangleAlert },
  nothing_measured: { tone: 'bad', icon: CircleX },
};

/** Claims of a gain that may be none. */
const IN_DOUBT = new Set(['no_gain', 'undecided', 'unconfirmed']);

/** How often the configuration of this experiment was measured. */
function measuredTimes(best: Experiment, experiments: readonly Experiment[]): number {
  return experiments.filter(
    (each) =>
      each.status === 'success' &&
      differences([best.parameters, each.parameters]).every((difference) => !difference.isDifferent),
  ).length;
}

/** What the figures of an earlier run say; the service judges the current one only. */
function measuredGain(best: Experiment | undefined, baseline: Experiment | undefined): number | null {
  const [value, reference] = [best?.objective_value, baseline?.objective_value];
  if (value == null || reference == null || !best?.feasible) return null;
  return gainOver(value, reference, best.direction === 'maximize' ? 'maximize' : 'minimize');
}

export function VerdictCard({ results }: { results: Results }) {
  const { t } = useTranslation();
  const { task, run, best, baseline, experiments, objective, name, format, isRunning, shown } = results;
  const verdict = run === undefined ? task.verdict : null;
  const look = CLAIMS[verdict?.claim ?? ''] ?? { tone: 'neutral' as const, icon: Star };
  const gained = run === undefined ? (verdict?.gain_over_defaults ?? null) : measuredGain(best, baseline);
  const ended = isRunning ? null : run === undefined ? task.ended_because : shown?.ended_because;
  const measured = experiments.filter((each) => each.status === 'success').length;
  const times = best ? measuredTimes(best, experiments) : 0;
  return (
    <section className="card overflow-hidden" aria-label={t('results.verdict')}>
      <div className="grid gap-x-8 gap-y-5 p-5 lg:grid-cols-[minmax(0,5fr)_minmax(0,4fr)]">
        <div className="min-w-0">
          <div className="flex flex-wrap items-center gap-2">
            {verdict && (
              <Badge tone={look.tone} icon={look.icon}>
                {t(`results.claim.${verdict.claim}`, { defaultValue: verdict.claim })}
              </Badge>
            )}
            {isRunning && <span className="text-muted text-xs">{t('results.soFar')}</span>}
          </div>
          <p className="mt-2 max-w-prose text-balance font-medium text-base leading-6">
            {verdict?.sentence ??
              (best ? t('results.oldBest', { number: best.experiment_id }) : t('results.noVerdict'))}
          </p>
          <div className="mt-4 grid grid-cols-2 gap-x-4 gap-y-3 sm:grid-cols-4">
            <Figure
              label={t('results.figure.best', { name })}
              value={best?.objective_value == null ? '–' : format(best.objective_value)}
              hint={
                best && (
                  <>
                    <IntervalLine kind={objective.kind} interval={scoredInterval(best)} />
                    {times > 0 && t('results.figure.times', { count: times })}
                  </>
                )
              }
            />
            <Figure
              label={t('results.figure.gain')}
              value={gain(gained)}
              tone={(gained ?? 0) > 0 && !IN_DOUBT.has(verdict?.claim ?? '') ? 'text-good' : ''}
              hint={
                gained === null
                  ? t('results.figure.noGain')
                  : typeof verdict?.gain_low === 'number' && typeof verdict.gain_high === 'number'
                    ? t('results.figure.interval', {
                        low: gain(verdict.gain_low),
                        high: gain(verdict.gain_high),
                      })
                    : run === undefined
                      ? undefined
                      : t('results.figure.asMeasured')
              }
            />
            <Figure
              label={t('results.figure.defaults')}
              value={baseline?.objective_value == null ? '–' : format(baseline.objective_value)}
              hint={
                baseline?.status === 'failed' ? (
                  t('results.figure.baselineFailed')
                ) : baseline ? (
                  <IntervalLine kind={objective.kind} interval={scoredInterval(baseline)} />
                ) : (
                  t('results.figure.noBaseline')
                )
              }
            />
            <Figure
              label={t('results.figure.measured')}
              value={t('results.figure.of', { n: measured, total: experiments.length })}
            />
          </div>
          {best && <BestTrust best={best} metric={objective.metric} />}
          {best && <Conditions best={best} baseline={baseline} hasBounds={results.bounds.length > 0} />}
        </div>
        {best && <BestParameters results={results} best={best} />}
      </div>
      {(best || ended) && (
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1 border-line border-t bg-sunken/50 px-5 py-2 text-xs">
          {best && (
            <a href={experimentHref(best, run)} className="text-accent hover:underline">
              {t('results.openBest', { number: best.experiment_id })}
            </a>
          )}
          {ended && <span className="ml-auto text-muted">{t('results.ended', { why: ended })}</span>}
        </div>
      )}
    </section>
  );
}

/** What speaks against the figures of the best, as its levels tell. */
function BestTrust({ best, metric }: { best: Experiment; metric: string }) {
  const { data } = useQuery(experimentQuery(best.id));
  const levels = useMemo(() => levelsOf(data), [data]);
  return (
    <div className="mt-3 flex flex-wrap gap-1 empty:hidden">
      <TrustBadges levels={levels} scored={metric} />
    </div>
  );
}

/** Which SLOs are missed and by how much, and what to know before trusting the figures. */
function Conditions({
  best,
  baseline,
  hasBounds,
}: {
  best: Experiment;
  baseline: Experiment | undefined;
  hasBounds: boolean;
}) {
  const { t } = useTranslation();
  const text = useViolationText();
  return (
    <ul className="mt-4 space-y-1 text-xs">
      {hasBounds && best.feasible && (
        <li className="flex gap-1.5 text-good">
          <CircleCheck aria-hidden className="mt-px size-3.5 shrink-0" />
          {t('results.sloMet')}
        </li>
      )}
      {best.violations.map((violation) => (
        <li key={violation.metric} className="flex gap-1.5 text-warn">
          <TriangleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
          {text(violation)}
        </li>
      ))}
      {baseline && baseline.id !== best.id && doOverlap(scoredInterval(best), scoredInterval(baseline)) && (
        <li className="flex gap-1.5 text-warn">
          <TriangleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
          {t('results.sure.overlap')}
        </li>
      )}
      {best.low_n && (
        <li className="flex gap-1.5 text-warn">
          <TriangleAlert aria-hidden className="mt-px size-3.5 shrink-0" />
          {t('results.lowN')}
        </li>
      )}
      {best.remarks.map((remark) => (
        <li key={remark} className="flex gap-1.5 text-muted">
          <span aria-hidden>·</span>
          {remark}
        </li>
      ))}
    </ul>
  );
}
