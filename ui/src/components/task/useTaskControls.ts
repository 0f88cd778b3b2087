/** Does what a task's controls say: asks where something is lost, and tells how it ended. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from 'sonner';
import { taskLive } from '@/api/queries/live';
import { type TaskVerb, useDeleteTask, useTaskAction } from '@/api/queries/tasks';
import { useAsk } from '@/components/Dialog';
import { duration } from '@/lib/format';
import { notifyDone, notifyFailure } from '@/lib/notify';
import { type ControlledTask, measuredSeconds, mustAsk } from './controls';

/** After one control has worked, another takes its place; the second half of a double click must not press it. */
const REST = 600;

/** Longest that the state of the measurement is waited for before the question is put without it. */
const PATIENCE = 1_500;

type Verb = Exclude<TaskVerb, 'duplicate'>;

export function useTaskControls(task: ControlledTask, onDeleted?: () => void) {
  const { t } = useTranslation();
  const ask = useAsk();
  const client = useQueryClient();
  const action = useTaskAction();
  const removal = useDeleteTask();
  const [isResting, setIsResting] = useState(false);
  useEffect(() => {
    if (!isResting) return;
    const rested = setTimeout(() => setIsResting(false), REST);
    return () => clearTimeout(rested);
  }, [isResting]);
  const name = task.task_name;

  const lost = async (): Promise<number> => {
    const unknown = task.started_at ? (Date.now() - new Date(task.started_at).getTime()) / 1000 : 0;
    try {
      const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), PATIENCE));
      return measuredSeconds(await Promise.race([client.fetchQuery(taskLive(task.id)), late]), Date.now());
    } catch {
      return unknown;
    }
  };

  const question = (verb: Verb | 'delete', seconds: number) => ({
    title: t(`tasks.ask.${verb}.title`, { name }),
    text: t(`tasks.ask.${verb}.text`, { count: task.total_experiments ?? 0, time: duration(seconds) }),
    confirm: t(`tasks.ask.${verb}.confirm`),
    cancel: t(`tasks.ask.${verb}.keep`),
    isDangerous: verb !== 'restart',
  });

  const send = (verb: Verb) =>
    action.mutate(
      { verb, id: task.id },
      {
        onSuccess: () => {
          setIsResting(true);
          if (verb !== 'restart') return notifyDone(t(`tasks.done.${verb}`, { name }));
          toast.success(t('tasks.done.restart', { name }), {
            action: { label: t('tasks.control.start'), onClick: () => send('start') },
          });
        },
        onError: (error) => notifyFailure(t(`tasks.refused.${verb}`, { name }), error),
      },
    );

  return {
    pending: action.isPending ? action.variables.verb : removal.isPending ? 'delete' : undefined,
    isResting,
    run: async (verb: Verb) => {
      const seconds = verb === 'cancel' ? await lost() : 0;
      if (mustAsk(verb, task, seconds) && !(await ask(question(verb, seconds)))) return;
      send(verb);
    },
    remove: async () => {
      if (!(await ask(question('delete', 0)))) return;
      removal.mutate(task.id, {
        onSuccess: () => {
          notifyDone(t('tasks.done.delete', { name }));
          onDeleted?.();
        },
        onError: (error) => notifyFailure(t('tasks.refused.delete', { name }), error),
      });
    },
  };
}
