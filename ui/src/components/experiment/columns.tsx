/** The columns that lists of experiments can have. */
import type { TFunction } from 'i18next';
import { Star } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Experiment } from '@/api/queries/experiments';
import { StatusBadge } from '@/components/Badge';
import { Time } from '@/components/Time';
import { duration, setting } from '@/lib/format';
import { href } from '@/lib/navigate';
import { METRICS, withUnit } from '@/lib/units';
import { FailureBadge, Feasibility, GainOver, ObjectiveValue, ParameterChips, RoleBadge } from './parts';
import { metricOf } from './read';

export interface Column {
  key: string;
  header: string;
  /** What a press on the header sorts by. */
  sortKey?: string;
  /** Largest first at the first press. */
  sortsDown?: boolean;
  isNumber?: boolean;
  className?: string;
  /** Only in tables, or only in the cards of a phone; in both where nothing is said. */
  only?: 'table' | 'card';
  /** More than fits into the header. */
  title?: string;
  cell: (experiment: Experiment) => ReactNode;
}

/** The address of an experiment; of an older run it says which. */
export function experimentHref(experiment: Experiment, run?: number): string {
  return href.experiment(experiment.task_id, experiment.experiment_id, run === undefined ? {} : { run });
}

export interface ColumnsInput {
  t: TFunction;
  /** Global id of the best one, which gets a star. */
  best?: number | null | undefined;
  run?: number | undefined;
  /** Rows are of any run: the address of each says of which. */
  isOfAnyRun?: boolean;
}

export function numberColumn({ t, best, run, isOfAnyRun = false }: ColumnsInput): Column {
  return {
    key: 'number',
    header: t('experiments.column.number'),
    sortKey: 'number',
    className: 'whitespace-nowrap',
    cell: (experiment) => (
      <span className="inline-flex items-center gap-1.5">
        <a
          href={experimentHref(experiment, isOfAnyRun ? experiment.run : run)}
          className="num font-medium text-accent hover:underline"
        >
          #{experiment.experiment_id}
        </a>
        {experiment.id === best && (
          <Star role="img" aria-label={t('results.best')} className="size-3.5 fill-good text-good" />
        )}
        <RoleBadge role={experiment.role} />
      </span>
    ),
  };
}

export function taskColumn(t: TFunction): Column {
  return {
    key: 'task',
    header: t('experiments.column.task'),
    className: 'max-w-56',
    cell: (experiment) => (
      <a href={href.task(experiment.task_id)} className="block truncate hover:text-accent hover:underline">
        {experiment.task_name ?? t('experiments.taskNumber', { id: experiment.task_id })}
      </a>
    ),
  };
}

export function statusColumn(t: TFunction): Column {
  return {
    key: 'status',
    header: t('experiments.column.status'),
    sortKey: 'status',
    cell: (experiment) =>
      experiment.failure_kind ? (
        <FailureBadge kind={experiment.failure_kind} />
      ) : (
        <StatusBadge status={experiment.status} />
      ),
  };
}

export function parametersColumn(t: TFunction, names?: readonly string[]): Column {
  return {
    key: 'parameters',
    header: t('experiments.column.parameters'),
    className: 'min-w-[20rem]',
    cell: (experiment) => <ParameterChips parameters={experiment.parameters} {...(names ? { names } : {})} />,
  };
}

/** Why it was tried, as the search says it. */
export function reasonColumn(t: TFunction): Column {
  return {
    key: 'reason',
    header: t('experiments.column.reason'),
    className: 'max-w-64 text-muted text-xs',
    cell: ({ reason }) => (
      <span title={reason} className="line-clamp-2 sm:line-clamp-1">
        {reason}
      </span>
    ),
  };
}

/** So many parameters have a column each; more are chips in one. */
const MOST_COLUMNS = 12;

/** What varies: a column for each where there are few, which sort and read better; chips otherwise. */
export function parameterColumns(t: TFunction, names: readonly string[]): Column[] {
  if (names.length === 0 || names.length > MOST_COLUMNS) return [parametersColumn(t, names)];
  return [
    { ...parametersColumn(t, names), only: 'card' },
    ...names.map(
      (name): Column => ({
        key: `param.${name}`,
        header: name,
        title: name,
        sortKey: `param.${name}`,
        only: 'table',
        className: 'font-mono text-xs max-w-40',
        cell: (experiment) =>
          name in experiment.parameters ? (
            <span className="break-all">{setting(experiment.parameters[name])}</span>
          ) : (
            <span className="text-faint">–</span>
          ),
      }),
    ),
  ];
}

/** Best first at the first press: `rank` and `score` are the service's own order. */
export function objectiveColumn(t: TFunction, header: string, sortKey?: string): Column {
  return {
    key: 'objective',
    header: header || t('experiments.column.objective'),
    ...(sortKey ? { sortKey } : {}),
    sortsDown: sortKey === 'score',
    isNumber: true,
    cell: (experiment) => <ObjectiveValue experiment={experiment} className="font-medium" hasTrust />,
  };
}

export function gainColumn(t: TFunction, baseline: number | null): Column {
  return {
    key: 'gain',
    header: t('experiments.column.gain'),
    isNumber: true,
    cell: (experiment) => <GainOver experiment={experiment} baseline={baseline} />,
  };
}

export function feasibleColumn(t: TFunction): Column {
  return {
    key: 'feasible',
    header: t('experiments.column.feasible'),
    className: 'whitespace-nowrap',
    cell: (experiment) => <Feasibility experiment={experiment} />,
  };
}

export function elapsedColumn(t: TFunction): Column {
  return {
    key: 'elapsed',
    header: t('experiments.column.duration'),
    sortKey: 'elapsed',
    sortsDown: true,
    isNumber: true,
    cell: (experiment) => <span className="num">{duration(experiment.elapsed_time)}</span>,
  };
}

export function startedColumn(t: TFunction): Column {
  return {
    key: 'started',
    header: t('experiments.column.started'),
    sortKey: 'started',
    sortsDown: true,
    className: 'whitespace-nowrap',
    cell: (experiment) => <Time at={experiment.started_at} className="text-muted" />,
  };
}

/** A column for one metric. */
export function metricColumn(t: TFunction, key: string): Column {
  const metric = METRICS.find((each) => each.key === key);
  return {
    key: `metric.${key}`,
    header: t(`metrics.${key}`),
    sortKey: `metric.${key}`,
    sortsDown: metric?.better === 'higher',
    isNumber: true,
    cell: (experiment) => (
      <span className="num">{withUnit(metric?.kind ?? 'count', metricOf(experiment, key))}</span>
    ),
  };
}
