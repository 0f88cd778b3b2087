/** Which run is shown, whether it goes on, and its results as files. */
import { Braces, Download, Sheet } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { resultsUrl } from '@/api/queries/experiments';
import { Badge } from '@/components/Badge';
import { Button } from '@/components/Button';
import { Menu } from '@/components/Menu';
import { Select } from '@/components/Select';
import { useAddress } from '@/lib/address';
import { moment } from '@/lib/format';
import type { Results } from './useResults';

export function ResultsBar({ results }: { results: Results }) {
  const { t } = useTranslation();
  const [, change] = useAddress();
  const { task, runs, run, isRunning, experiments } = results;
  const isOld = run !== undefined;
  if (runs.length < 2 && experiments.length === 0) return null;
  return (
    <div className="flex flex-wrap items-center gap-2">
      {runs.length > 1 && (
        <Select
          label={t('results.run.label')}
          value={String(run ?? task.run)}
          onChange={(value) =>
            change(
              { run: Number(value) === task.run ? undefined : value, brush: undefined, sel: undefined },
              true,
            )
          }
          options={runs.map((each) => ({
            value: String(each.run),
            label: each.is_current
              ? t('results.run.current', { run: each.run })
              : t('results.run.number', { run: each.run }),
            hint: `${t(`status.${each.status}`)}${each.started_at ? ` · ${moment(each.started_at)}` : ''}`,
          }))}
        />
      )}
      {isRunning && (
        <Badge tone="info">
          <span aria-hidden className="size-1.5 animate-pulse rounded-full bg-current" />
          {t('results.live')}
        </Badge>
      )}
      {isOld && <span className="text-muted text-xs">{t('results.run.old')}</span>}
      <span className="flex-1" />
      {!isOld && experiments.length > 0 && (
        <Menu
          trigger={<Button icon={Download}>{t('results.export.title')}</Button>}
          entries={[
            {
              label: t('results.export.csv'),
              icon: Sheet,
              onSelect: () => save(resultsUrl(task.id, 'csv')),
            },
            {
              label: t('results.export.json'),
              icon: Braces,
              onSelect: () => save(resultsUrl(task.id, 'json')),
            },
          ]}
        />
      )}
    </div>
  );
}

/** The service answers with an attachment, which the browser saves under the name it is given. */
function save(url: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}
