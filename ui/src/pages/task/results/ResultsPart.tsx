/** The results of a task: what was found out, how to use it, and everything that was measured. */
import { ChartSpline, Hourglass } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Task } from '@/api/queries/tasks';
import { Card } from '@/components/Card';
import { ExperimentTable } from '@/components/experiment/ExperimentTable';
import { Empty, Failed, Skeleton } from '@/components/States';
import { TabLinks } from '@/components/Tabs';
import { useAddress } from '@/lib/address';
import { asWord, stringifySearch } from '@/lib/search';
import { FailuresView } from './FailuresView';
import { LoadView } from './LoadView';
import { OverviewView } from './OverviewView';
import { ParametersView } from './ParametersView';
import { ResultsBar } from './ResultsBar';
import { UseIt } from './UseIt';
import { useBrush } from './useBrush';
import { type Results, useResults } from './useResults';
import { VerdictCard } from './VerdictCard';

const VIEWS = ['overview', 'parameters', 'load', 'failures'] as const;
type View = (typeof VIEWS)[number];

export function ResultsPart({ task }: { task: Task }) {
  const { results, isLoading, error, retry } = useResults(task);
  if (error && !results) return <Failed error={error} onRetry={retry} />;
  if (isLoading || !results) return <Loading />;
  return <Shown results={results} />;
}

function Loading() {
  return (
    <div aria-busy className="space-y-4">
      <Skeleton className="h-44 w-full" />
      <Skeleton className="h-80 w-full" />
      <Skeleton className="h-64 w-full" />
    </div>
  );
}

function Shown({ results }: { results: Results }) {
  const { t } = useTranslation();
  const { task, experiments, run } = results;
  const { only, clear } = useBrush(results);
  if (experiments.length === 0)
    return (
      <div className="space-y-4">
        <ResultsBar results={results} />
        <div className="card">
          <Empty
            icon={results.isRunning ? Hourglass : ChartSpline}
            title={results.isRunning ? t('results.none.running') : t('results.none.title')}
            text={
              task.status === 'pending' && run === undefined
                ? t('results.none.pending')
                : t('results.none.text')
            }
          />
        </div>
      </div>
    );
  return (
    <div className="space-y-4">
      <ResultsBar results={results} />
      <VerdictCard results={results} />
      {results.best && run === undefined && <UseIt task={task} best={results.best} />}
      <Views results={results} />
      <Card title={t('nav.experiments')} padded={false}>
        <ExperimentTable
          experiments={experiments}
          objective={results.objective}
          best={results.best?.id}
          run={run}
          only={only}
          onAll={clear}
        />
      </Card>
    </div>
  );
}

function Views({ results }: { results: Results }) {
  const { t } = useTranslation();
  const [address] = useAddress();
  const failed = results.experiments.filter(
    (each) => each.status === 'failed' && each.failure_kind !== 'early_aborted',
  ).length;
  const isAllFailed = failed > 0 && results.experiments.every((each) => each.status !== 'success');
  const view: View = asWord(address.view, VIEWS) ?? (isAllFailed ? 'failures' : 'overview');
  const path = window.location.hash.split('?')[0] ?? '';
  const shown: Record<View, () => ReactNode> = {
    overview: () => <OverviewView results={results} />,
    parameters: () => <ParametersView results={results} />,
    load: () => <LoadView results={results} />,
    failures: () => <FailuresView results={results} />,
  };
  return (
    <div>
      <TabLinks
        label={t('results.views')}
        active={view}
        tabs={VIEWS.map((key) => ({
          key,
          label: t(`results.view.${key}`),
          href: `${path}${stringifySearch({ ...address, view: key })}`,
          ...(key === 'failures' ? { count: failed } : {}),
        }))}
      />
      {shown[view]()}
    </div>
  );
}
