/** What an experiment found: its parameters, its figures against the defaults, and why it failed if it did. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { type Experiment, experiment as experimentQuery } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { useTokens } from '@/charts/tokens';
import { Card, Figure } from '@/components/Card';
import { CopyButton } from '@/components/Copy';
import { LevelTable } from '@/components/experiment/LevelTable';
import { LoadCharts, type LoadSeries } from '@/components/experiment/LoadCharts';
import { PhaseBar } from '@/components/experiment/PhaseBar';
import { parametersAsText } from '@/components/experiment/parameters';
import { Feasibility, GainOver, useViolationText } from '@/components/experiment/parts';
import { type Level, levelsOf, metricOf, objectiveOf, sloBounds } from '@/components/experiment/read';
import { SeriesCard } from '@/components/experiment/SeriesCard';
import { IntervalLine } from '@/components/experiment/Sure';
import { TrustBadges } from '@/components/experiment/TrustBadges';
import { TrustCard } from '@/components/experiment/TrustCard';
import { intervalOf } from '@/components/experiment/worth';
import { setting } from '@/lib/format';
import { METRICS, withUnit } from '@/lib/units';
import { FailureCard } from './FailureCard';
import { LiveCard } from './LiveCard';

export interface PartProps {
  experiment: Experiment;
  task: Task;
  rows: readonly Experiment[];
  logHref: string;
}

export function OverviewPart({ experiment, task, rows, logHref }: PartProps) {
  const { t } = useTranslation();
  const isRunning = experiment.status === 'deploying' || experiment.status === 'benchmarking';
  const levels = useMemo(() => levelsOf(experiment), [experiment]);
  const baseline = rows.findLast((each) => each.role === 'baseline');
  const scored = objectiveOf(task.optimization).metric;
  return (
    <div className="space-y-4">
      {isRunning && <LiveCard experiment={experiment} />}
      {experiment.status === 'failed' && <FailureCard experiment={experiment} logHref={logHref} />}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <ResultCard experiment={experiment} task={task} baseline={baseline} levels={levels} />
        <div className="space-y-4">
          <ParametersCard experiment={experiment} />
          <Card title={t('experiments.page.timeline')}>
            <PhaseBar experiment={experiment} />
          </Card>
        </div>
      </div>
      {levels.length > 0 && (
        <>
          <Card title={t('experiments.page.levels')} padded={false}>
            <LevelTable levels={levels} scored={scored} />
          </Card>
          <TrustCard levels={levels} scored={scored} />
          <SeriesCard levels={levels} />
          <Load experiment={experiment} task={task} baseline={baseline} />
        </>
      )}
    </div>
  );
}

function ResultCard({
  experiment,
  task,
  baseline,
  levels,
}: {
  experiment: Experiment;
  task: Task;
  baseline: Experiment | undefined;
  levels: readonly Level[];
}) {
  const { t } = useTranslation();
  const text = useViolationText();
  const objective = objectiveOf(task.optimization);
  const isOver = experiment.status === 'success' || experiment.status === 'failed';
  const isMeasured = experiment.objective_value !== null && experiment.objective_value !== undefined;
  const interval = isMeasured ? intervalOf(experiment, objective.metric) : null;
  const noResult = isOver
    ? levels.length > 0
      ? 'experiments.page.firstLevels'
      : 'experiments.page.noLevels'
    : 'experiments.page.notYet';
  const hasIntervals = METRICS.some(({ key }) => intervalOf(experiment, key) !== null);
  return (
    <Card
      title={t('experiments.page.result')}
      actions={
        levels.length > 0 && (
          <div className="flex flex-wrap justify-end gap-1">
            <TrustBadges levels={levels} scored={objective.metric} />
          </div>
        )
      }
    >
      <div className="grid grid-cols-2 gap-x-4 gap-y-3 sm:grid-cols-3">
        <Figure
          label={t(`objectives.${objective.name}`, { defaultValue: objective.name })}
          value={isMeasured ? withUnit(objective.kind, experiment.objective_value) : '–'}
          hint={<IntervalLine kind={objective.kind} interval={interval} />}
        />
        <Figure
          label={t('experiments.page.vsDefaults')}
          value={<GainOver experiment={experiment} baseline={baseline?.objective_value ?? null} />}
        />
        <Figure
          label={t('experiments.column.feasible')}
          value={
            <span className="font-medium text-sm">
              <Feasibility experiment={experiment} />
            </span>
          }
        />
      </div>
      {(experiment.violations.length > 0 || experiment.remarks.length > 0) && (
        <ul className="mt-3 space-y-1 text-xs">
          {experiment.violations.map((violation) => (
            <li key={violation.metric} className="text-warn">
              {text(violation)}
            </li>
          ))}
          {experiment.remarks.map((remark) => (
            <li key={remark} className="text-muted">
              {remark}
            </li>
          ))}
        </ul>
      )}
      {isMeasured ? (
        <>
          <h3 className="mt-4 mb-1 border-line border-t pt-3 font-medium text-muted text-xs">
            {t('experiments.page.figures')}
            {hasIntervals && <span className="font-normal"> · {t('results.sure.below')}</span>}
          </h3>
          <dl className="grid gap-x-8 sm:grid-cols-2">
            {METRICS.map(({ key, kind }) => {
              const value = metricOf(experiment, key);
              if (value === null) return null;
              return (
                <div
                  key={key}
                  className="flex items-baseline justify-between gap-3 border-line/60 border-b py-1 text-sm"
                >
                  <dt className="text-muted">{t(`metrics.${key}`)}</dt>
                  <dd className="num text-right font-medium">
                    {withUnit(kind, value)}
                    <IntervalLine kind={kind} interval={intervalOf(experiment, key)} />
                  </dd>
                </div>
              );
            })}
          </dl>
        </>
      ) : (
        <p className="mt-4 text-muted">{t(noResult)}</p>
      )}
    </Card>
  );
}

function ParametersCard({ experiment }: { experiment: Experiment }) {
  const { t } = useTranslation();
  const entries = Object.entries(experiment.parameters);
  return (
    <Card
      title={t('experiments.page.parameters')}
      actions={
        entries.length > 0 && (
          <CopyButton text={parametersAsText(experiment.parameters)} label={t('results.copyParameters')} />
        )
      }
    >
      {entries.length === 0 ? (
        <p className="text-muted italic">{t('experiments.defaults')}</p>
      ) : (
        <dl className="font-mono text-xs">
          {entries.map(([name, value]) => (
            <div
              key={name}
              className="flex justify-between gap-4 border-line/60 border-b py-1.5 last:border-0"
            >
              <dt className="text-muted break-all">{name}</dt>
              <dd className="text-right font-medium break-all">{setting(value)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Card>
  );
}

/** Its curves over the load, with those of the defaults beside it. */
function Load({
  experiment,
  task,
  baseline,
}: {
  experiment: Experiment;
  task: Task;
  baseline: Experiment | undefined;
}) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const isOther = baseline !== undefined && baseline.id !== experiment.id && baseline.status === 'success';
  const { data } = useQuery({ ...experimentQuery(baseline?.id ?? 0), enabled: isOther });
  const bounds = useMemo(() => sloBounds(task.slo), [task.slo]);
  const series = useMemo<LoadSeries[]>(() => {
    const own: LoadSeries = {
      id: experiment.id,
      name: `#${experiment.experiment_id}`,
      color: tokens.accent,
      levels: levelsOf(experiment),
    };
    const other = isOther && data ? levelsOf(data) : [];
    if (other.length === 0) return [own];
    const name = `${t('results.baseline')} · #${data?.experiment_id}`;
    return [own, { id: data?.id ?? 0, name, color: tokens['line-strong'], isDashed: true, levels: other }];
  }, [experiment, data, isOther, tokens, t]);
  return <LoadCharts series={series} bounds={bounds} />;
}
