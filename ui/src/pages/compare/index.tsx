/** Two to six experiments side by side, of one task or of several. */
import { useQueries } from '@tanstack/react-query';
import { GitCompareArrows, Plus, SearchX } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import {
  type Experiment,
  experiment as experimentQuery,
  taskOfRun,
  taskRuns,
} from '@/api/queries/experiments';
import { type Task, task as taskQuery } from '@/api/queries/tasks';
import { useTokens } from '@/charts/tokens';
import { Button, buttonClass } from '@/components/Button';
import { idsOfText, MOST_COMPARED } from '@/components/experiment/filter';
import { LoadCharts, type LoadSeries } from '@/components/experiment/LoadCharts';
import { levelsOf, sloBounds } from '@/components/experiment/read';
import { Page } from '@/components/Page';
import { Empty, Failed, Skeleton } from '@/components/States';
import { useAddress } from '@/lib/address';
import { href } from '@/lib/navigate';
import { AddDialog } from './AddDialog';
import { CompareTable } from './CompareTable';

export function ComparePage() {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const [isAdding, setAdding] = useState(false);
  const ids = useMemo(() => idsOfText(address.ids).slice(0, MOST_COMPARED), [address.ids]);
  const answers = useQueries({ queries: ids.map((id) => experimentQuery(id)) });
  const set = (next: readonly number[]) => change({ ids: next.join(',') }, true);
  const isMissing = (error: unknown) => error instanceof ApiError && error.status === 404;
  const missing = ids.filter((_, index) => isMissing(answers[index]?.error));
  const broken = answers.find((answer) => answer.error && !answer.data && !isMissing(answer.error));
  const experiments = answers.flatMap((answer) => (answer.data ? [answer.data] : []));
  const isLoading = answers.some((answer) => answer.isPending);
  const add = (
    <Button icon={Plus} onClick={() => setAdding(true)} disabled={ids.length >= MOST_COMPARED}>
      {t('experiments.compare.add')}
    </Button>
  );
  return (
    <Page title={t('experiments.compare.title')} description={t('experiments.compare.text')} actions={add}>
      <div className="space-y-4">
        {missing.map((id) => (
          <div
            key={id}
            role="alert"
            className="flex flex-wrap items-center gap-x-3 gap-y-1 rounded-lg bg-warn-soft px-4 py-2.5 text-warn"
          >
            <SearchX aria-hidden className="size-4" />
            <span>
              {t('experiments.compare.unknown', { id })} {t('experiments.compare.unknownHint')}
            </span>
            <Button size="sm" className="ml-auto" onClick={() => set(ids.filter((each) => each !== id))}>
              {t('action.remove')}
            </Button>
          </div>
        ))}
        {broken?.error && (
          <div className="card">
            <Failed error={broken.error} onRetry={() => void broken.refetch()} />
          </div>
        )}
        {ids.length === 0 ? (
          <div className="card">
            <Empty
              icon={GitCompareArrows}
              title={t('experiments.compare.empty')}
              text={t('experiments.compare.emptyText')}
            >
              <a href={href.experiments()} className={buttonClass()}>
                {t('nav.experiments')}
              </a>
              {add}
            </Empty>
          </div>
        ) : isLoading ? (
          <Skeleton className="h-96 w-full" />
        ) : (
          experiments.length > 0 && <Side experiments={experiments} ids={ids} onIds={set} />
        )}
      </div>
      <AddDialog
        isOpen={isAdding}
        onClose={() => setAdding(false)}
        taken={ids}
        onAdd={(id) => {
          set([...ids, id]);
          setAdding(false);
        }}
      />
    </Page>
  );
}

/** What decides whether figures can be compared at all. */
const workload = (task: Task) => JSON.stringify([task.model, task.benchmark]);

function Side({
  experiments,
  ids,
  onIds,
}: {
  experiments: readonly Experiment[];
  ids: readonly number[];
  onIds: (ids: number[]) => void;
}) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const taskIds = [...new Set(experiments.map((each) => each.task_id))];
  const answers = useQueries({ queries: taskIds.map((id) => taskQuery(id)) });
  const tasks = new Map(answers.flatMap(({ data }) => (data ? [[data.id, data] as const] : [])));
  // A task may have been edited between two runs that are compared.
  const edited = taskIds.filter((id) =>
    experiments.some((each) => each.task_id === id && each.run !== tasks.get(id)?.run),
  );
  const runs = useQueries({ queries: edited.map((id) => taskRuns(id)) });
  const runsOf = new Map(edited.map((id, index) => [id, runs[index]?.data] as const));
  const judged = experiments.flatMap((each) => {
    const task = tasks.get(each.task_id);
    return task ? [taskOfRun(task, each.run, runsOf.get(each.task_id))] : [];
  });
  const isMixed = new Set(judged.map(workload)).size > 1;
  const color = (index: number) => tokens.series[index % tokens.series.length] ?? tokens.accent;
  const series = useMemo<LoadSeries[]>(
    () =>
      experiments.flatMap((each, index) => {
        const levels = levelsOf(each);
        if (levels.length === 0) return [];
        const several = new Set(experiments.map((one) => one.task_id)).size > 1;
        const name = several
          ? `${t('experiments.taskNumber', { id: each.task_id })} · #${each.experiment_id}`
          : `#${each.experiment_id}`;
        const own = tokens.series[index % tokens.series.length] ?? tokens.accent;
        return [{ id: each.id, name, color: own, levels }];
      }),
    [experiments, tokens, t],
  );
  const slos = new Set(judged.map(({ slo }) => JSON.stringify(slo)));
  const slo = slos.size === 1 ? [...slos][0] : undefined;
  const bounds = useMemo(() => (slo ? sloBounds(JSON.parse(slo)) : []), [slo]);
  return (
    <>
      {experiments.length === 1 && (
        <p className="rounded-lg bg-info-soft px-4 py-2.5 text-info">{t('experiments.compare.tooFew')}</p>
      )}
      {isMixed && (
        <p className="rounded-lg bg-warn-soft px-4 py-2.5 text-warn">{t('experiments.compare.mixed')}</p>
      )}
      <CompareTable
        experiments={experiments}
        tasks={tasks}
        colorOf={color}
        onRemove={(id) => onIds(ids.filter((each) => each !== id))}
        onFirst={(id) => onIds([id, ...ids.filter((each) => each !== id)])}
      />
      {series.length > 0 && (
        <section>
          <h2 className="mt-6 mb-3 font-semibold">{t('experiments.compare.load')}</h2>
          <LoadCharts series={series} bounds={bounds} />
        </section>
      )}
    </>
  );
}
