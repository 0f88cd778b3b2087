/** What a pending task will do when it is started. */
import { useQuery } from '@tanstack/react-query';
import { CircleAlert, Info } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { taskCheck } from '@/api/queries/task-files';
import type { Task } from '@/api/queries/tasks';
import { Card, Figure } from '@/components/Card';
import { CodeBlock } from '@/components/Copy';
import { objectiveOf } from '@/components/experiment/read';
import { Failed, SkeletonRows } from '@/components/States';
import { flatten } from '@/components/task/document';
import { Entries } from '@/components/task/Entries';
import { Problems } from '@/components/task/Problems';
import { SpaceTable } from '@/components/task/SpaceTable';
import { duration, number } from '@/lib/format';
import { href } from '@/lib/navigate';

export function PlanPart({ task }: { task: Task }) {
  const { t } = useTranslation();
  const { data, error, isPending, refetch } = useQuery(taskCheck(task.id));
  const objective = objectiveOf(task.optimization).name;
  return (
    <div className="space-y-4">
      {task.run > 1 && (
        <p className="flex items-center gap-2 rounded-lg bg-info-soft px-3 py-2 text-info">
          <Info aria-hidden className="size-4 shrink-0" />
          <span>
            {t('tasks.plan.earlier')}{' '}
            <a href={href.taskPart(task.id, 'runs')} className="font-medium underline">
              {t('tasks.part.runs')}
            </a>
          </span>
        </p>
      )}
      <Card title={t('tasks.plan.title')} padded={false}>
        {isPending ? (
          <SkeletonRows rows={4} />
        ) : !data ? (
          <Failed error={error} onRetry={() => void refetch()} />
        ) : (
          <div className="space-y-5 p-4">
            <div className="grid grid-cols-2 gap-4 sm:grid-cols-4">
              <Figure
                label={t('tasks.column.experiments')}
                value={number(data.experiments, 9)}
                hint={t('tasks.plan.baseline')}
              />
              <Figure
                label={t('tasks.plan.space')}
                value={
                  data.space_size === null || data.space_size === undefined
                    ? t('tasks.plan.endless')
                    : number(data.space_size, 9)
                }
                hint={t('tasks.plan.spaceHint')}
              />
              <Figure
                label={t('tasks.plan.time')}
                value={data.estimated_seconds == null ? '–' : duration(data.estimated_seconds)}
                hint={t('tasks.plan.timeHint')}
              />
              <Figure
                label={t('tasks.plan.objective')}
                value={
                  <span className="text-sm">{t(`objectives.${objective}`, { defaultValue: objective })}</span>
                }
              />
            </div>
            {data.problems.length > 0 && (
              <Notice tone="bad" title={t('tasks.plan.problems')} problems={data.problems} />
            )}
            {data.warnings.length > 0 && (
              <Notice tone="warn" title={t('tasks.plan.warnings')} problems={data.warnings} />
            )}
            {data.baseline_command && (
              <Command title={t('tasks.plan.baselineCommand')} text={data.baseline_command} />
            )}
            {data.first_command && <Command title={t('tasks.plan.firstCommand')} text={data.first_command} />}
          </div>
        )}
      </Card>
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Card title={t('tasks.config.parameters')} padded={false}>
          <SpaceTable parameters={task.parameters} />
        </Card>
        <Card title={t('tasks.config.benchmark')}>
          <Entries entries={[...flatten(task.benchmark), ...flatten(task.slo, 'slo')]} />
        </Card>
      </div>
    </div>
  );
}

function Command({ title, text }: { title: string; text: string }) {
  return (
    <section>
      <h3 className="mb-1.5 text-muted text-xs">{title}</h3>
      <CodeBlock text={text} />
    </section>
  );
}

function Notice({
  tone,
  title,
  problems,
}: {
  tone: 'bad' | 'warn';
  title: string;
  problems: Parameters<typeof Problems>[0]['problems'];
}) {
  return (
    <section
      className={
        tone === 'bad' ? 'rounded-lg bg-bad-soft px-3 py-2.5' : 'rounded-lg bg-warn-soft px-3 py-2.5'
      }
    >
      <h3
        className={
          tone === 'bad'
            ? 'flex items-center gap-1.5 font-medium text-bad'
            : 'flex items-center gap-1.5 font-medium text-warn'
        }
      >
        <CircleAlert aria-hidden className="size-4" />
        {title}
      </h3>
      <Problems problems={problems} />
    </section>
  );
}
