/** What came of the tasks that were completed last. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { taskList } from '@/api/queries/tasks';
import { Card } from '@/components/Card';
import { ResultList } from '@/components/dashboard/ResultList';
import { href } from '@/lib/navigate';

const MOST = 6;

export function ResultsPart() {
  const { t } = useTranslation();
  const { data } = useQuery(
    taskList({ status_filter: 'completed', sort: 'completed', order: 'desc', limit: MOST }),
  );
  const rows = data?.items ?? [];
  if (rows.length === 0) return null;
  return (
    <Card
      title={t('dashboard.results.title')}
      actions={
        <a href={href.tasks({ status: 'completed' })} className="text-accent text-xs hover:underline">
          {t('dashboard.results.all', { count: data?.total ?? rows.length })}
        </a>
      }
      padded={false}
      className="overflow-hidden"
    >
      <ResultList rows={rows} />
    </Card>
  );
}
