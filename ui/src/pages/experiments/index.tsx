/** Every experiment of every task, newest first: searched, filtered and chosen for a comparison. */
import { useQuery } from '@tanstack/react-query';
import { FilterX, FlaskConical, GitCompareArrows } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import {
  EXPERIMENT_STATUSES,
  type Experiment,
  type ExperimentListParams,
  experimentList,
  FAILURES,
  ROLES,
} from '@/api/queries/experiments';
import { taskList } from '@/api/queries/tasks';
import { Button, buttonClass } from '@/components/Button';
import { Card } from '@/components/Card';
import { CompareBar } from '@/components/experiment/CompareBar';
import {
  type Column,
  elapsedColumn,
  experimentHref,
  feasibleColumn,
  metricColumn,
  numberColumn,
  objectiveColumn,
  parameterColumns,
  parametersColumn,
  startedColumn,
  statusColumn,
  taskColumn,
} from '@/components/experiment/columns';
import { ExperimentRows } from '@/components/experiment/ExperimentRows';
import { idsOfText, type Order, toggled } from '@/components/experiment/filter';
import { varyingParameters } from '@/components/experiment/parameters';
import { SearchInput } from '@/components/Input';
import { Page } from '@/components/Page';
import { Pagination } from '@/components/Pagination';
import { Select } from '@/components/Select';
import { Empty, Failed, SkeletonRows } from '@/components/States';
import { useAddress } from '@/lib/address';
import { href } from '@/lib/navigate';
import { asNumber, asText, asWord, type Search } from '@/lib/search';

const SIZE = 50;
const SORTS = ['created', 'elapsed', 'score', 'started'] as const;
const RUNTIMES = ['vllm', 'sglang', 'tensorrt-llm', 'llamacpp', 'sim', 'custom'] as const;
const FILTERS = ['q', 'task', 'status', 'failure', 'role', 'runtime'] as const;

/** What the service is asked for, as the address says it. */
export function listParams(address: Search): ExperimentListParams {
  const page = asNumber(address.page) ?? 1;
  const task = asNumber(address.task);
  const sort = asWord(address.sort, SORTS) ?? 'created';
  return {
    skip: (page - 1) * SIZE,
    limit: SIZE,
    brief: true,
    task_id: task,
    status: asWord(address.status, EXPERIMENT_STATUSES),
    failure_kind: asWord(address.failure, FAILURES),
    role: asWord(address.role, ROLES),
    runtime: asText(address.runtime),
    q: asText(address.q),
    // Scores of several tasks are no order: they measure different things.
    sort: sort === 'score' && task === undefined ? 'created' : sort,
    order: asWord(address.order, ['asc', 'desc'] as const) ?? 'desc',
  };
}

export function ExperimentsPage() {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const params = listParams(address);
  const { data, error, isPending, isPlaceholderData, refetch } = useQuery(experimentList(params));
  const selected = idsOfText(address.sel);
  const isFiltered = FILTERS.some((name) => address[name]);
  const clear = () =>
    change({ ...Object.fromEntries(FILTERS.map((name) => [name, undefined])), page: undefined });
  const rows: readonly Experiment[] = data?.items ?? [];
  const columns: Column[] = [
    taskColumn(t),
    { ...numberColumn({ t, isOfAnyRun: true }), sortKey: 'created', sortsDown: true },
    unsorted(statusColumn(t)),
    ...(params.task_id === undefined ? [parametersColumn(t)] : []),
    objectiveColumn(t, '', params.task_id === undefined ? undefined : 'score'),
    feasibleColumn(t),
    // The experiments of one task have the same parameters: a column each.
    ...(params.task_id === undefined ? [] : parameterColumns(t, varyingParameters(rows)).map(unsorted)),
    unsorted(metricColumn(t, 'mean_ttft')),
    unsorted(metricColumn(t, 'p99_e2e_latency')),
    elapsedColumn(t),
    startedColumn(t),
  ];
  return (
    <Page
      title={t('nav.experiments')}
      description={t('experiments.pageText')}
      actions={
        <a href={href.compare(selected)} className={buttonClass()}>
          <GitCompareArrows aria-hidden className="size-4" />
          {t('nav.compare')}
        </a>
      }
    >
      <Card padded={false}>
        <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2.5">
          <SearchInput
            value={address.q ?? ''}
            onChange={(q) => change({ q, page: undefined })}
            label={t('experiments.search')}
            className="w-full sm:w-64"
          />
          <Filters />
          {isFiltered && (
            <Button kind="ghost" icon={FilterX} onClick={clear}>
              {t('list.clearFilters')}
            </Button>
          )}
        </div>
        {error && !data ? (
          <Failed error={error} onRetry={() => void refetch()} />
        ) : isPending ? (
          <SkeletonRows rows={12} />
        ) : rows.length === 0 ? (
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
            sort={{ key: params.sort ?? 'created', order: params.order as Order }}
            onSort={(sort, order) => change({ sort, order, page: undefined })}
            selected={selected}
            onToggle={(id) => change({ sel: toggled(selected, id).join(',') })}
            hrefOf={(experiment) => experimentHref(experiment, experiment.run)}
            isFaded={isPlaceholderData}
          />
        )}
        <Pagination
          page={asNumber(address.page) ?? 1}
          size={SIZE}
          total={data?.total ?? 0}
          onPage={(page) => change({ page: page === 1 ? undefined : page }, true)}
        />
        <CompareBar selected={selected} onClear={() => change({ sel: undefined })} />
      </Card>
    </Page>
  );
}

/** The service does not sort by it. */
function unsorted({ sortKey: _sortKey, ...column }: Column): Column {
  return column;
}

function Filters() {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const { data: tasks } = useQuery(taskList({ limit: 200 }));
  const set = (name: string) => (value: string) => change({ [name]: value, page: undefined });
  const one = (
    name: (typeof FILTERS)[number],
    label: string,
    all: string,
    options: readonly { value: string; label: string }[],
  ) => (
    <Select
      label={label}
      value={address[name] ?? ''}
      onChange={set(name)}
      options={[{ value: '', label: all }, ...options]}
      className="max-w-56"
    />
  );
  return (
    <>
      {one('task', t('experiments.column.task'), t('experiments.anyTask'), [
        ...(tasks?.items ?? []).map((task) => ({ value: String(task.id), label: task.task_name })),
        ...(address.task && !tasks?.items.some((task) => String(task.id) === address.task)
          ? [{ value: address.task, label: t('experiments.taskNumber', { id: address.task }) }]
          : []),
      ])}
      {one(
        'status',
        t('experiments.column.status'),
        t('experiments.anyStatus'),
        EXPERIMENT_STATUSES.map((value) => ({ value, label: t(`status.${value}`) })),
      )}
      {one(
        'failure',
        t('experiments.column.failure'),
        t('experiments.anyFailure'),
        FAILURES.map((value) => ({ value, label: t(`failure.${value}`) })),
      )}
      {one(
        'role',
        t('experiments.column.role'),
        t('experiments.anyRole'),
        ROLES.map((value) => ({ value, label: t(`experiments.role.${value}`) })),
      )}
      {one(
        'runtime',
        t('experiments.column.runtime'),
        t('experiments.anyRuntime'),
        RUNTIMES.map((value) => ({ value, label: value })),
      )}
    </>
  );
}
