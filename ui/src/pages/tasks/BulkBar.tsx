/** What can be done with the tasks that are selected, at once. */
import { CircleX, type LucideIcon, Play, RotateCcw, Trash2, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type BulkAction, type BulkAnswer, type TaskRow, useBulkAction } from '@/api/queries/tasks';
import { Button, IconButton } from '@/components/Button';
import { Dialog, useAsk } from '@/components/Dialog';
import { controlsOf } from '@/components/task/controls';
import { notifyDone, notifyFailure } from '@/lib/notify';

const ACTIONS: { action: BulkAction; icon: LucideIcon; tone: string }[] = [
  { action: 'start', icon: Play, tone: 'text-good' },
  { action: 'cancel', icon: CircleX, tone: 'text-bad' },
  { action: 'restart', icon: RotateCcw, tone: 'text-warn' },
  { action: 'delete', icon: Trash2, tone: 'text-bad' },
];

/** The tasks for which an action makes sense. */
export function fitFor(action: BulkAction, tasks: readonly TaskRow[]): TaskRow[] {
  return tasks.filter((task) => controlsOf(task).includes(action));
}

/** Whether results would be lost, or leave the view. */
function mustAskMany(action: BulkAction, tasks: readonly TaskRow[]): boolean {
  if (action === 'start') return false;
  return action !== 'restart' || tasks.some(({ status }) => status === 'completed');
}

export function BulkBar({ tasks, onClear }: { tasks: readonly TaskRow[]; onClear: () => void }) {
  const { t } = useTranslation();
  const ask = useAsk();
  const bulk = useBulkAction();
  const [refused, setRefused] = useState<{ answer: BulkAnswer; names: Map<number, string> } | null>(null);
  const run = async (action: BulkAction) => {
    const fit = fitFor(action, tasks);
    const count = fit.length;
    if (
      mustAskMany(action, fit) &&
      !(await ask({
        title: t(`tasks.bulk.ask.${action}.title`, { count }),
        text: t(`tasks.bulk.ask.${action}.text`),
        confirm: t(`tasks.control.${action}`),
        cancel: t('action.back'),
        isDangerous: action !== 'restart',
      }))
    )
      return;
    bulk.mutate(
      { action, ids: fit.map(({ id }) => id) },
      {
        onSuccess: (answer) => {
          if (answer.succeeded > 0) notifyDone(t(`tasks.bulk.done.${action}`, { count: answer.succeeded }));
          if (answer.failed > 0)
            setRefused({ answer, names: new Map(tasks.map(({ id, task_name }) => [id, task_name])) });
          else onClear();
        },
        onError: (error) => notifyFailure(t('tasks.bulk.failed'), error),
      },
    );
  };
  return (
    <>
      {tasks.length > 0 && (
        <section
          aria-label={t('tasks.bulk.label')}
          className="fixed inset-x-3 bottom-4 z-20 mx-auto flex w-fit max-w-[calc(100vw-1.5rem)] flex-wrap items-center justify-center gap-1.5 rounded-xl border border-line bg-raised px-3 py-2 shadow-pop sm:mx-0 sm:left-6 lg:left-[17rem]"
        >
          <span className="num px-1 font-medium">{t('list.selected', { count: tasks.length })}</span>
          {ACTIONS.map(({ action, icon, tone }) => {
            const count = fitFor(action, tasks).length;
            return (
              <Button
                key={action}
                size="sm"
                kind="ghost"
                icon={icon}
                disabled={count === 0 || bulk.isPending}
                isPending={bulk.isPending && bulk.variables.action === action}
                onClick={() => void run(action)}
                className={count > 0 ? tone : undefined}
              >
                {t(`tasks.control.${action}`)}
                {count > 0 && count < tasks.length && <span className="num">{count}</span>}
              </Button>
            );
          })}
          <IconButton icon={X} label={t('tasks.bulk.clear')} onClick={onClear} />
        </section>
      )}
      <Dialog
        isOpen={refused !== null}
        onClose={() => setRefused(null)}
        title={t('tasks.bulk.someRefused', { count: refused?.answer.failed ?? 0 })}
      >
        <ul className="divide-y divide-line">
          {refused?.answer.results
            .filter(({ ok }) => !ok)
            .map(({ id, error }) => (
              <li key={id} className="py-2">
                <div className="font-medium">{refused.names.get(id) ?? `#${id}`}</div>
                <div className="text-bad">{error?.detail}</div>
                {error?.hint && <div className="text-muted">{error.hint}</div>}
              </li>
            ))}
        </ul>
      </Dialog>
    </>
  );
}
