/** Makes a task of the document, or puts it in the place of the one that is edited. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from 'sonner';
import { ApiError } from '@/api/client';
import { useSaveTask } from '@/api/queries/check';
import { useTaskAction } from '@/api/queries/tasks';
import type { Json } from '@/components/form/json';
import type { Told } from '@/components/form/problems';
import { useGo } from '@/lib/address';
import { href } from '@/lib/navigate';
import { notifyDone, notifyFailure } from '@/lib/notify';
import type { Source } from './source';

/** What a refusal says of the document. */
export function toldBy(error: unknown): Told[] {
  if (!(error instanceof ApiError)) return [];
  if (error.code === 'name_taken')
    return [{ path: 'task_name', message: error.message, hint: error.hint, severity: 'problem' }];
  return error.problems.map(({ path, message, hint }) => ({ path, message, hint, severity: 'problem' }));
}

export interface Submit {
  /** What the service refused, until the document is another. */
  refused: readonly Told[];
  isPending: boolean;
  pendingStart: boolean;
  submit: (document: Json, andStart: boolean) => Promise<boolean>;
  forget: () => void;
}

const NONE: Told[] = [];

export function useSubmit(source: Source, onSaved: () => void): Submit {
  const { t } = useTranslation();
  const go = useGo();
  const save = useSaveTask();
  const action = useTaskAction();
  const [refused, setRefused] = useState<readonly Told[]>(NONE);
  const [pendingStart, setPendingStart] = useState(false);
  const submit = async (document: Json, andStart: boolean) => {
    setPendingStart(andStart);
    setRefused(NONE);
    try {
      const isEdit = source.mode === 'edit';
      const task = await save.mutateAsync({ document, replaces: isEdit ? source.id : undefined });
      onSaved();
      notifyDone(t(isEdit ? 'form.saved' : 'form.created', { name: task.task_name }));
      if (andStart) {
        try {
          await action.mutateAsync({ verb: 'start', id: task.id });
        } catch (error) {
          notifyFailure(t('form.notStarted', { name: task.task_name }), error);
        }
      }
      go(href.task(task.id));
      return true;
    } catch (error) {
      const told = toldBy(error);
      setRefused(told);
      const what = t(source.mode === 'edit' ? 'form.notSaved' : 'form.notCreated');
      // What is said at a field is not said at length in front of the buttons too.
      if (told.length > 0) toast.error(what, { position: 'top-center' });
      else notifyFailure(what, error);
      return false;
    }
  };
  return {
    refused,
    isPending: save.isPending || action.isPending,
    pendingStart,
    submit,
    forget: () => setRefused(NONE),
  };
}
