/**
 * The experiments of a run: sorted, filtered, and chosen for a comparison. What is looked at is in the
 * address, so that a link shows the same.
 */
import { FilterX, FlaskConical } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { Button } from '@/components/Button';
import { SearchInput } from '@/components/Input';
import { Select } from '@/components/Select';
import { Empty, SkeletonRows } from '@/components/States';
import { useAddress } from '@/lib/address';
import { METRICS } from '@/lib/units';
import { ColumnPicker } from './ColumnPicker';
import { CompareBar } from './CompareBar';
import {
  type Column,
  elapsedColumn,
  experimentHref,
  feasibleColumn,
  gainColumn,
  metricColumn,
  numberColumn,
  objectiveColumn,
  parameterColumns,
  reasonColumn,
  startedColumn,
  statusColumn,
} from './columns';
import { ExperimentRows } from './ExperimentRows';
import {
  failureOf,
  filterExperiments,
  idsOfText,
  type Order,
  STATES,
  sortExperiments,
  toggled,
} from './filter';
import { varyingParameters } from './parameters';
import type { Objective } from './read';

export interface ExperimentTableProps {
  experiments: readonly Experiment[];
  objective: Objective;
  /** Global id of the best one. */
  best?: number | null | undefined;
  /** The run, where it is not the current one. */
  run?: number | undefined;
  isLoading?: boolean;
  /** Numbers that a chart keeps, and how to let go of them. */
  only?: ReadonlySet<number> | undefined;
  onAll?: () => void;
}

/** Metrics that are shown before somebody chooses. */
const USUAL = ['mean_total_throughput', 'mean_ttft', 'p99_e2e_latency'];
/** Metrics that say the same as an objective. */
const SAME: Record<string, string> = {
  minimize_ttft: 'mean_ttft',
  minimize_tpot: 'mean_tpot',
};

export function ExperimentTable({
  experiments,
  objective,
  best,
  run,
  isLoading = false,
  only,
  onAll,
}: ExperimentTableProps) {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const chosen = useMemo(
    () =>
      address.cols === undefined
        ? USUAL.filter((key) => key !== SAME[objective.name])
        : address.cols.split(',').filter((key) => METRICS.some((metric) => metric.key === key)),
    [address.cols, objective.name],
  );
  const sort = { key: address.sort ?? 'rank', order: (address.order === 'desc' ? 'desc' : 'asc') as Order };
  const filter = {
    q: address.q,
    state: address.state,
    role: address.role,
    failure: address.failure,
    only,
  };
  const kept = filterExperiments(experiments, filter);
  const rows = sortExperiments(kept, sort.key, sort.order);
  const selected = idsOfText(address.sel);
  const varying = useMemo(() => varyingParameters(experiments), [experiments]);
  const baseline = experiments.findLast((each) => each.role === 'baseline')?.objective_value ?? null;
  const columns: Column[] = [
    numberColumn({ t, best, run }),
    statusColumn(t),
    objectiveColumn(t, t(`experiments.objective.${objective.name}`, { defaultValue: '' }), 'rank'),
    gainColumn(t, baseline),
    feasibleColumn(t),
    ...parameterColumns(t, varying),
    ...chosen.map((key) => metricColumn(t, key)),
    elapsedColumn(t),
    startedColumn(t),
    reasonColumn(t),
  ];
  const isFiltered = Boolean(address.q || address.state || address.role || address.failure || only);
  const clear = () => {
    change({ q: undefined, state: undefined, role: undefined, failure: undefined });
    onAll?.();
  };
  if (isLoading) return <SkeletonRows rows={8} />;
  return (
    <div>
      <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2.5">
        <SearchInput
          value={address.q ?? ''}
          onChange={(q) => change({ q })}
          label={t('experiments.search')}
          className="w-full sm:w-64"
        />
        <Select
          label={t('experiments.column.status')}
          value={address.state ?? ''}
          onChange={(state) => change({ state })}
          options={[
            { value: '', label: t('experiments.anyStatus') },
            ...STATES.map((value) => ({ value, label: t(`results.point.${value}`) })),
          ]}
        />
        <Filters experiments={experiments} />
        {isFiltered && (
          <Button kind="ghost" icon={FilterX} onClick={clear}>
            {t('list.clearFilters')}
          </Button>
        )}
        <span className="flex-1" />
        <span role="status" className="num text-muted text-xs">
          {isFiltered
            ? t('experiments.shown', { shown: rows.length, total: experiments.length })
            : t('experiments.count', { count: experiments.length })}
        </span>
        <ColumnPicker chosen={chosen} onChange={(keys) => change({ cols: keys.join(',') || 'none' })} />
      </div>
      {rows.length === 0 ? (
        <Empty
          icon={FlaskConical}
          title={isFiltered ? t('list.nothingFound') : t('experiments.none')}
          text={isFiltered ? undefined : t('experiments.noneText')}
        >
          {isFiltered && <Button onClick={clear}>{t('list.clearFilters')}</Button>}
        </Empty>
      ) : (
        <ExperimentRows
          rows={rows}
          columns={columns}
          label={t('nav.experiments')}
          sort={sort}
          onSort={(key, order) => change({ sort: key, order })}
          selected={selected}
          onToggle={(id) => change({ sel: toggled(selected, id).join(',') })}
          hrefOf={(experiment) => experimentHref(experiment, run)}
        />
      )}
      <CompareBar selected={selected} onClear={() => change({ sel: undefined })} />
    </div>
  );
}

/** Filters that only some runs have a use for. */
function Filters({ experiments }: { experiments: readonly Experiment[] }) {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const roles = [...new Set(experiments.map((each) => each.role))];
  const failures = [...new Set(experiments.map(failureOf).filter((kind) => kind !== null))];
  return (
    <>
      {(roles.length > 1 || address.role) && (
        <Select
          label={t('experiments.column.role')}
          value={address.role ?? ''}
          onChange={(role) => change({ role })}
          options={[
            { value: '', label: t('experiments.anyRole') },
            ...roles.map((value) => ({
              value,
              label: t(`experiments.role.${value}`, { defaultValue: value }),
            })),
          ]}
        />
      )}
      {(failures.length > 0 || address.failure) && (
        <Select
          label={t('experiments.column.failure')}
          value={address.failure ?? ''}
          onChange={(failure) => change({ failure })}
          options={[
            { value: '', label: t('experiments.anyFailure') },
            ...failures.map((value) => ({ value, label: t(`failure.${value}`, { defaultValue: value }) })),
          ]}
        />
      )}
    </>
  );
}
