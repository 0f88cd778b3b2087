/** The best configuration as something to run: a command, a container, a manifest. */
import { useQuery } from '@tanstack/react-query';
import { Ban, Download } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { BEST_FORMATS, type BestFormat, bestConfiguration, type Experiment } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { Button } from '@/components/Button';
import { Card } from '@/components/Card';
import { CodeBlock } from '@/components/Copy';
import { Failed, Skeleton } from '@/components/States';
import { Segmented } from '@/components/Toggle';
import { useAddress } from '@/lib/address';
import { asWord } from '@/lib/search';

const FILES: Record<BestFormat, string> = {
  command: 'start.sh',
  docker: 'docker-run.sh',
  compose: 'compose.yaml',
  kubernetes: 'kubernetes.yaml',
};

/** Saves a text under a name. */
function saveText(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

export function UseIt({ task, best }: { task: Task; best: Experiment }) {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const format = asWord(address.use, BEST_FORMATS) ?? 'command';
  const { data, error, isPending, refetch } = useQuery(bestConfiguration(task.id, format));
  const isRefused = error instanceof ApiError && error.status === 404;
  return (
    <Card
      title={t('results.use.title', { number: best.experiment_id })}
      actions={
        data !== undefined && (
          <Button
            kind="ghost"
            size="sm"
            icon={Download}
            onClick={() => saveText(`${data.trimEnd()}\n`, FILES[format])}
          >
            {FILES[format]}
          </Button>
        )
      }
    >
      <div className="-mx-1 mb-3 overflow-x-auto px-1">
        <Segmented
          label={t('results.use.format')}
          value={format}
          onChange={(use) => change({ use: use === 'command' ? undefined : use })}
          options={BEST_FORMATS.map((value) => ({ value, label: t(`results.use.${value}`) }))}
        />
      </div>
      {isPending ? (
        <Skeleton className="h-20 w-full" />
      ) : isRefused ? (
        <p className="flex gap-2 rounded-lg bg-sunken p-3 text-muted">
          <Ban aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span>
            {error.message}
            {error.hint && <span className="block text-xs">{error.hint}</span>}
          </span>
        </p>
      ) : error ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : (
        <CodeBlock text={data.trimEnd()} className="max-h-96 overflow-y-auto" />
      )}
    </Card>
  );
}
