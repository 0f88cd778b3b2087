/** What went wrong during the last day. Nothing is shown where nothing did. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { recentFailures } from '@/api/queries/dashboard';
import { Card } from '@/components/Card';
import { FailureList } from '@/components/dashboard/FailureList';
import { failuresSince } from '@/components/dashboard/failures';
import { useNow } from '@/components/Time';

const DAY = 86_400_000;

export function FailuresPart({ names }: { names: ReadonlyMap<number, string> }) {
  const { t } = useTranslation();
  const { data } = useQuery(recentFailures);
  const now = useNow(60_000);
  const groups = useMemo(() => failuresSince(data?.items ?? [], now - DAY), [data, now]);
  if (groups.length === 0) return null;
  return (
    <Card title={t('dashboard.failures.title')} padded={false}>
      <FailureList groups={groups} names={names} />
    </Card>
  );
}
