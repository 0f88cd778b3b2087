/** One task: what it found out, and everything it holds, in parts that are links. */
import { useQuery } from '@tanstack/react-query';
import { ChevronRight, SearchX } from 'lucide-react';
import { lazy, Suspense } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { useMay } from '@/api/queries/access';
import { type Task, task as taskQuery, useDescribeTask } from '@/api/queries/tasks';
import { StatusBadge } from '@/components/Badge';
import { buttonClass } from '@/components/Button';
import { Page } from '@/components/Page';
import { Empty, Failed, Skeleton, SkeletonRows } from '@/components/States';
import { type Tab, TabLinks } from '@/components/Tabs';
import { Description } from '@/components/task/Description';
import { TaskActions } from '@/components/task/TaskActions';
import { useGo, usePathPart } from '@/lib/address';
import { href } from '@/lib/navigate';
import { notifyFailure } from '@/lib/notify';
import { asNumber, asWord } from '@/lib/search';
import { ConfigurationPart } from './ConfigurationPart';
import { ExperimentsPart } from './ExperimentsPart';
import { LogsPart } from './LogsPart';
import { OverviewPart } from './OverviewPart';
import { RunsPart } from './RunsPart';

const ResultsPart = lazy(async () => ({
  default: (await import('./results/ResultsPart')).ResultsPart,
}));

const PARTS = ['overview', 'experiments', 'results', 'logs', 'configuration', 'runs'] as const;
type Part = (typeof PARTS)[number];

export function TaskPage() {
  const { t } = useTranslation();
  const id = asNumber(usePathPart('task'));
  const part = asWord(usePathPart('part'), PARTS) ?? 'overview';
  const { data, error, isPending, refetch } = useQuery({
    ...taskQuery(id ?? 0),
    enabled: id !== undefined,
  });
  const isGone = id === undefined || (error instanceof ApiError && error.status === 404);
  if (isGone) {
    return (
      <Page title={t('tasks.gone.title')} trail={<Trail />}>
        <div className="card">
          <Empty icon={SearchX} title={t('tasks.gone.title')} text={t('tasks.gone.text')}>
            <a href={href.tasks()} className={buttonClass()}>
              {t('tasks.gone.all')}
            </a>
          </Empty>
        </div>
      </Page>
    );
  }
  if (isPending) return <Pending />;
  if (!data) {
    return (
      <Page title={t('tasks.one', { id })} trail={<Trail />}>
        <Failed error={error} onRetry={() => void refetch()} className="card" />
      </Page>
    );
  }
  return <Known key={data.id} task={data} part={part} />;
}

function Known({ task, part }: { task: Task; part: Part }) {
  const { t } = useTranslation();
  const go = useGo();
  const mayOperate = useMay('operator');
  const describe = useDescribeTask(task.id);
  const tabs: Tab[] = PARTS.map((key) => {
    const count = key === 'experiments' ? task.total_experiments : key === 'runs' ? task.run : 0;
    return {
      key,
      label: t(`tasks.part.${key}`),
      href: key === 'overview' ? href.task(task.id) : href.taskPart(task.id, key),
      ...(count > (key === 'runs' ? 1 : 0) && { count }),
    };
  });
  return (
    <Page
      title={task.task_name}
      badge={<StatusBadge status={task.status} />}
      trail={<Trail id={task.id} />}
      description={
        <Description
          text={task.description}
          mayEdit={mayOperate}
          isSaving={describe.isPending}
          onSave={(text, done) =>
            describe.mutate(text || null, {
              onSuccess: done,
              onError: (error) => notifyFailure(t('tasks.description.refused'), error),
            })
          }
        />
      }
      actions={<TaskActions task={task} form="words" onDeleted={() => go(href.tasks())} />}
      isWide={part === 'logs'}
    >
      <TabLinks tabs={tabs} active={part} label={t('tasks.parts')} />
      <Suspense fallback={<SkeletonRows className="card" />}>
        <PartOf task={task} part={part} />
      </Suspense>
    </Page>
  );
}

function PartOf({ task, part }: { task: Task; part: Part }) {
  switch (part) {
    case 'overview':
      return <OverviewPart task={task} />;
    case 'experiments':
      return <ExperimentsPart task={task} />;
    case 'results':
      return <ResultsPart task={task} />;
    case 'logs':
      return <LogsPart task={task} />;
    case 'configuration':
      return <ConfigurationPart task={task} />;
    case 'runs':
      return <RunsPart task={task} />;
  }
}

function Trail({ id }: { id?: number }) {
  const { t } = useTranslation();
  return (
    <>
      <a href={href.tasks()} className="hover:text-fg hover:underline">
        {t('nav.tasks')}
      </a>
      {id !== undefined && (
        <>
          <ChevronRight aria-hidden className="size-3" />
          <span className="num">#{id}</span>
        </>
      )}
    </>
  );
}

function Pending() {
  const { t } = useTranslation();
  return (
    <Page title={t('state.loading')} trail={<Trail />}>
      <Skeleton className="mb-4 h-9 w-full max-w-xl" />
      <Skeleton className="mb-4 h-28 w-full" />
      <Skeleton className="h-64 w-full" />
    </Page>
  );
}
