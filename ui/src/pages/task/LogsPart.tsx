/** The log of a task. */
import { Eraser } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { taskLog } from '@/api/logs';
import { useMay } from '@/api/queries/access';
import { type Task, useClearLog } from '@/api/queries/tasks';
import { Button } from '@/components/Button';
import { useAsk } from '@/components/Dialog';
import { SkeletonRows } from '@/components/States';
import { useAddress } from '@/lib/address';
import { notifyDone, notifyFailure } from '@/lib/notify';

const LogView = lazy(async () => ({ default: (await import('@/components/log')).LogView }));

export function LogsPart({ task }: { task: Task }) {
  const { t } = useTranslation();
  const ask = useAsk();
  const mayOperate = useMay('operator');
  const clear = useClearLog(task.id);
  const kept = useAddress();
  // A log that was emptied is looked at from its new beginning.
  const [view, setView] = useState(0);
  const empty = async () => {
    const yes = await ask({
      title: t('tasks.log.ask'),
      text: t('tasks.log.askText'),
      confirm: t('tasks.log.clear'),
      isDangerous: true,
    });
    if (!yes) return;
    clear.mutate(undefined, {
      onSuccess: () => {
        setView((count) => count + 1);
        notifyDone(t('tasks.log.cleared'));
      },
      onError: (error) => notifyFailure(t('tasks.log.refused'), error),
    });
  };
  return (
    <div className="space-y-2">
      {mayOperate && (
        <div className="flex justify-end">
          <Button
            size="sm"
            kind="ghost"
            icon={Eraser}
            onClick={() => void empty()}
            isPending={clear.isPending}
          >
            {t('tasks.log.clear')}
          </Button>
        </div>
      )}
      <Suspense fallback={<SkeletonRows className="card" />}>
        <LogView
          key={view}
          kept={kept}
          source={{ ...taskLog(task.id, task.task_name), isOver: task.status !== 'running' }}
          className="h-[calc(100dvh-15rem)] min-h-80"
        />
      </Suspense>
    </div>
  );
}
