/** What the task was told to do: in sections to be read, and as the file to be kept. */
import { useQuery } from '@tanstack/react-query';
import { CopyPlus, FileDown, Pencil } from 'lucide-react';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { exportUrl, taskFile } from '@/api/queries/task-files';
import type { Task } from '@/api/queries/tasks';
import { buttonClass } from '@/components/Button';
import { Card } from '@/components/Card';
import { CodeBlock } from '@/components/Copy';
import { Failed, SkeletonRows } from '@/components/States';
import { flatten } from '@/components/task/document';
import { Entries } from '@/components/task/Entries';
import { SpaceTable } from '@/components/task/SpaceTable';
import { href } from '@/lib/navigate';

/** Sections that are shown as they are, in this order. */
const SECTIONS = [
  'model',
  'optimization',
  'benchmark',
  'slo',
  'engine',
  'resources',
  'quant_config',
  'parallel_config',
  'storage',
  'clusterbasemodel_config',
  'clusterservingruntime_config',
] as const;

export function ConfigurationPart({ task }: { task: Task }) {
  const { t } = useTranslation();
  const mayOperate = useMay('operator');
  const sections = useMemo(
    () =>
      SECTIONS.map((name) => ({ name, entries: flatten(task[name]) })).filter(
        ({ entries }) => entries.length > 0,
      ),
    [task],
  );
  const constraints = Array.isArray(task.constraints) ? task.constraints.map(String) : [];
  const basics: [string, string][] = [
    ['base_runtime', task.base_runtime],
    ...flatten(task.runtime_image_tag, 'runtime_image_tag'),
    ...flatten(task.runtime_image, 'runtime_image'),
    ['deployment_mode', task.deployment_mode],
  ];
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <div className="min-w-0 space-y-4">
        <Card
          title={t('tasks.config.basics')}
          actions={
            mayOperate && (
              <>
                {task.status === 'pending' && (
                  <a href={href.newTask({ edit: task.id })} className={buttonClass('secondary', 'sm')}>
                    <Pencil aria-hidden className="size-3.5" />
                    {t('tasks.control.edit')}
                  </a>
                )}
                <a href={href.newTask({ from: task.id })} className={buttonClass('secondary', 'sm')}>
                  <CopyPlus aria-hidden className="size-3.5" />
                  {t('tasks.control.duplicate')}
                </a>
              </>
            )
          }
        >
          <Entries entries={basics} />
        </Card>
        <Card title={t('tasks.config.parameters')} padded={false}>
          <SpaceTable parameters={task.parameters} />
          {constraints.length > 0 && (
            <div className="border-line border-t px-4 py-3">
              <h3 className="mb-1.5 text-muted text-xs">{t('tasks.config.constraints')}</h3>
              <ul className="space-y-1 font-mono text-xs">
                {constraints.map((constraint) => (
                  <li key={constraint} className="break-words">
                    {constraint}
                  </li>
                ))}
              </ul>
            </div>
          )}
        </Card>
        {sections.map(({ name, entries }) => (
          <Card key={name} title={t(`tasks.config.${name}`)}>
            <Entries entries={entries} />
          </Card>
        ))}
      </div>
      <FileCard task={task} />
    </div>
  );
}

function FileCard({ task }: { task: Task }) {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useQuery(taskFile(task.id));
  return (
    <Card
      title={t('tasks.config.file')}
      padded={false}
      className="xl:sticky xl:top-4"
      actions={(['yaml', 'json'] as const).map((format) => (
        <a
          key={format}
          href={exportUrl(task.id, format)}
          aria-label={t(format === 'yaml' ? 'tasks.control.exportYaml' : 'tasks.control.exportJson')}
          className={buttonClass('secondary', 'sm')}
        >
          <FileDown aria-hidden className="size-3.5" />
          {format.toUpperCase()}
        </a>
      ))}
    >
      {isPending ? (
        <SkeletonRows rows={10} />
      ) : data === undefined ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : (
        <CodeBlock
          text={data}
          className="rounded-t-none! border-0! xl:max-h-[calc(100dvh-8rem)] xl:overflow-auto"
        />
      )}
    </Card>
  );
}
