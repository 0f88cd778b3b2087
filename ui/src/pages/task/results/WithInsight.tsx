/** What the service says of a run's parameters, once it is there. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/api/client';
import { taskInsight } from '@/api/queries/experiments';
import { Card } from '@/components/Card';
import { Failed, Skeleton } from '@/components/States';
import type { Results } from './useResults';

export interface WithInsightProps {
  results: Results;
  /** Of what is shown where it cannot be had. */
  title: string;
  children: (insight: Schemas['InsightView']) => ReactNode;
}

export function WithInsight({ results, title, children }: WithInsightProps) {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useQuery(taskInsight(results.task.id, results.run));
  if (isPending)
    return (
      <div role="status" aria-label={t('state.loading')}>
        <Skeleton className="h-40 w-full" />
      </div>
    );
  if (!data)
    return (
      <Card title={title}>
        <Failed error={error} onRetry={() => void refetch()} />
      </Card>
    );
  return children(data);
}
