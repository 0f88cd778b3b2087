/** The first page: what runs, what waits, what came of it, and how the machine is. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { databaseStatistics } from '@/api/queries/dashboard';
import { taskList } from '@/api/queries/tasks';
import { Page } from '@/components/Page';
import { Failed, Skeleton } from '@/components/States';
import { FailuresPart } from './FailuresPart';
import { FirstRunPart } from './FirstRunPart';
import { GpuPart, MachinePart } from './MachinePart';
import { QuickActions } from './QuickActions';
import { ResultsPart } from './ResultsPart';
import { RunningPart } from './RunningPart';
import { ServicePart } from './ServicePart';
import { StripPart } from './StripPart';
import { TimelinePart } from './TimelinePart';
import { WaitingPart } from './WaitingPart';

/** Names of this many tasks are known to bars and failures; those of older ones are their numbers. */
const NAMED = 200;

export function DashboardPage() {
  const { t } = useTranslation();
  const statistics = useQuery(databaseStatistics);
  const latest = useQuery(taskList({ limit: NAMED }));
  const names = useMemo(
    () => new Map((latest.data?.items ?? []).map(({ id, task_name }) => [id, task_name] as const)),
    [latest.data],
  );
  const isFirstRun = statistics.data?.total_tasks === 0;
  return (
    <Page title={t('nav.dashboard')} actions={isFirstRun ? undefined : <QuickActions />}>
      {statistics.isPending ? (
        <div aria-busy className="space-y-4">
          <Skeleton className="h-20 w-full" />
          <Skeleton className="h-56 w-full" />
          <Skeleton className="h-56 w-full" />
        </div>
      ) : statistics.isError && !statistics.data ? (
        <Failed error={statistics.error} onRetry={() => void statistics.refetch()} />
      ) : isFirstRun ? (
        <FirstRunPart />
      ) : (
        <div className="space-y-4">
          {statistics.data && <StripPart statistics={statistics.data} />}
          <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_21rem]">
            <div className="min-w-0 space-y-4">
              <RunningPart />
              <GpuPart />
              <TimelinePart names={names} />
              <ResultsPart />
            </div>
            <div className="grid min-w-0 items-start gap-4 md:grid-cols-2 xl:grid-cols-1">
              <WaitingPart />
              <MachinePart />
              <FailuresPart names={names} />
              {statistics.data && <ServicePart statistics={statistics.data} />}
            </div>
          </div>
        </div>
      )}
    </Page>
  );
}
