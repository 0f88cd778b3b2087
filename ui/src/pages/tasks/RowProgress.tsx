/** How far the task of a row is: a count, and a block for each experiment. */
import { useTranslation } from 'react-i18next';
import type { TaskRow } from '@/api/queries/tasks';
import { plannedOf } from '@/components/task/blocks';
import { ProgressBlocks } from '@/components/task/ProgressBlocks';
import { number } from '@/lib/format';

const NONE: never[] = [];

export function RowProgress({ task, className }: { task: TaskRow; className?: string }) {
  const { t } = useTranslation();
  const planned = plannedOf(task);
  const { successful_experiments: done, total_experiments: made } = task;
  return (
    <div className={className}>
      <div aria-hidden className="num mb-1 text-muted text-xs leading-4">
        {made === 0
          ? t('tasks.planned', { count: planned })
          : t('tasks.progress', { done: number(done, 9), total: number(made, 9) })}
      </div>
      <ProgressBlocks
        taskId={task.id}
        blocks={task.blocks ?? NONE}
        planned={planned}
        made={made}
        succeeded={done}
      />
    </div>
  );
}
