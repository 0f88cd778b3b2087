/** One experiment: what was tried, how it went, what was measured, and the engine's log. */
import { useQuery } from '@tanstack/react-query';
import { ChevronRight, SearchX } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { experimentLog } from '@/api/logs';
import {
  type Experiment,
  experiment as experimentQuery,
  taskExperiments,
  taskOfRun,
  taskRuns,
} from '@/api/queries/experiments';
import { type Task, task as taskQuery } from '@/api/queries/tasks';
import { StatusBadge } from '@/components/Badge';
import { buttonClass } from '@/components/Button';
import { FailureBadge, RoleBadge } from '@/components/experiment/parts';
import { attemptsOf, inOrder } from '@/components/experiment/read';
import { LogView } from '@/components/log';
import { Page } from '@/components/Page';
import { PodLinks } from '@/components/pod/PodLinks';
import { Empty, Failed, SkeletonRows } from '@/components/States';
import { TabLinks } from '@/components/Tabs';
import { useAddress, usePathPart } from '@/lib/address';
import { href } from '@/lib/navigate';
import { asNumber, asWord } from '@/lib/search';
import { Actions } from './Actions';
import { EnginePart } from './EnginePart';
import { OverviewPart } from './OverviewPart';

const TABS = ['overview', 'engine', 'logs'] as const;

export function ExperimentPage() {
  const { t } = useTranslation();
  const taskId = asNumber(usePathPart('task')) ?? 0;
  const number = asNumber(usePathPart('number')) ?? 0;
  const [address] = useAddress();
  const task = useQuery(taskQuery(taskId));
  const run = asNumber(address.run);
  const old = run === undefined || run === task.data?.run ? undefined : run;
  const list = useQuery(taskExperiments(taskId, old));
  const runs = useQuery({ ...taskRuns(taskId), enabled: old !== undefined });
  const row = list.data?.find((each) => each.experiment_id === number);
  const whole = useQuery({ ...experimentQuery(row?.id ?? 0), enabled: row !== undefined });
  const title = t('experiments.title', { number });
  const trail = <Trail task={task.data} taskId={taskId} run={old} />;
  const error = task.error ?? list.error ?? whole.error;
  const isGone = error instanceof ApiError && error.status === 404;
  if ((list.data && !row) || isGone)
    return (
      <Page title={title} trail={trail}>
        <div className="card">
          <Empty
            icon={SearchX}
            title={t('experiments.page.unknown', { number })}
            text={t('experiments.page.unknownText')}
          >
            <a href={href.taskPart(taskId, 'experiments')} className={buttonClass()}>
              {t('experiments.page.allExperiments')}
            </a>
          </Empty>
        </div>
      </Page>
    );
  if (error && !whole.data)
    return (
      <Page title={title} trail={trail}>
        <div className="card">
          <Failed error={error} onRetry={() => void Promise.all([task.refetch(), list.refetch()])} />
        </div>
      </Page>
    );
  if (!row || !whole.data || !task.data)
    return (
      <Page title={title} trail={trail}>
        <div className="card">
          <SkeletonRows rows={10} />
        </div>
      </Page>
    );
  return (
    <Shown
      experiment={whole.data}
      task={old === undefined ? task.data : taskOfRun(task.data, old, runs.data)}
      run={old}
      rows={inOrder(list.data ?? [])}
      trail={trail}
    />
  );
}

function Trail({ task, taskId, run }: { task: Task | undefined; taskId: number; run: number | undefined }) {
  const { t } = useTranslation();
  return (
    <>
      <a href={href.tasks()} className="hover:text-fg hover:underline">
        {t('nav.tasks')}
      </a>
      <ChevronRight aria-hidden className="size-3" />
      <a href={href.task(taskId)} className="hover:text-fg hover:underline">
        {task?.task_name ?? t('experiments.taskNumber', { id: taskId })}
      </a>
      <ChevronRight aria-hidden className="size-3" />
      <a href={href.taskPart(taskId, 'results', { run })} className="hover:text-fg hover:underline">
        {run === undefined ? t('nav.experiments') : t('experiments.page.run', { run })}
      </a>
    </>
  );
}

function Shown({
  experiment,
  task,
  run,
  rows,
  trail,
}: {
  experiment: Experiment;
  task: Task;
  run: number | undefined;
  rows: readonly Experiment[];
  trail: React.ReactNode;
}) {
  const { t } = useTranslation();
  const kept = useAddress();
  const [address] = kept;
  const tab = asWord(address.tab, TABS) ?? 'overview';
  const here = (change: Record<string, string | number | undefined>) =>
    href.experiment(task.id, experiment.experiment_id, {
      run,
      tab: address.tab,
      ...change,
    });
  const isEnded = experiment.status === 'success' || experiment.status === 'failed';
  const attempts = attemptsOf(experiment, rows);
  return (
    <Page
      title={t('experiments.title', { number: experiment.experiment_id })}
      trail={trail}
      badge={
        <>
          {experiment.failure_kind === 'early_aborted' ? (
            <FailureBadge kind={experiment.failure_kind} />
          ) : (
            <StatusBadge status={experiment.status} />
          )}
          <RoleBadge role={experiment.role} always />
        </>
      }
      description={experiment.reason}
      actions={<Actions experiment={experiment} task={task} rows={rows} run={run} />}
    >
      {attempts.length > 1 && (
        <nav
          aria-label={t('experiments.page.attempts')}
          className="-mt-2 mb-3 flex flex-wrap items-center gap-2 text-xs"
        >
          <span className="text-muted">{t('experiments.page.attempts')}</span>
          {attempts.map((each) => (
            <a
              key={each.id}
              href={href.experiment(task.id, each.experiment_id, { run, tab: address.tab })}
              aria-current={each.id === experiment.id ? 'page' : undefined}
              className="flex items-center gap-1.5 rounded-full border border-line py-0.5 pr-1 pl-2.5 aria-[current=page]:border-accent aria-[current=page]:font-medium"
            >
              #{each.experiment_id}
              <StatusBadge status={each.status} />
            </a>
          ))}
        </nav>
      )}
      {task.deployment_mode === 'kubernetes' && !isEnded && (
        <PodLinks task={task.id} experiment={experiment.experiment_id} />
      )}
      <TabLinks
        label={t('experiments.page.tabs')}
        active={tab}
        tabs={TABS.map((key) => ({
          key,
          label: t(`experiments.page.tab.${key}`),
          href: here({ tab: key === 'overview' ? undefined : key }),
        }))}
      />
      {tab === 'overview' && (
        <OverviewPart experiment={experiment} task={task} rows={rows} logHref={here({ tab: 'logs' })} />
      )}
      {tab === 'engine' && <EnginePart experiment={experiment} />}
      {tab === 'logs' && (
        <LogView
          kept={kept}
          source={{
            ...experimentLog(task.id, experiment.experiment_id, run),
            isOver: isEnded,
          }}
          className="h-[calc(100dvh-16rem)] min-h-80"
        />
      )}
    </Page>
  );
}
