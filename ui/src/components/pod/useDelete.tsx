/** Deletes pods, asks before, and says what came of it. */
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from 'sonner';
import { type Pod, useDeletePod } from '@/api/queries/pods';
import { notifyDone, notifyFailure } from '@/lib/notify';
import { DeleteDialog } from './DeleteDialog';

export interface Delete {
  ask: (pod: Pod) => void;
  /** The name of the pod that is being deleted. */
  pending: string | undefined;
  /** The question that is open. */
  dialog: ReactNode;
}

export function useDelete(): Delete {
  const { t } = useTranslation();
  const { mutateAsync } = useDeletePod();
  const [asked, setAsked] = useState<Pod | null>(null);
  const [pending, setPending] = useState<string>();
  const remove = async ({ name }: Pod, force: boolean) => {
    setAsked(null);
    setPending(name);
    try {
      const { warning } = await mutateAsync({ name, force });
      const done = t('pods.deleted', { name });
      if (warning) toast.warning(done, { description: warning, duration: 10_000 });
      else notifyDone(done);
    } catch (error) {
      notifyFailure(t('pods.notDeleted', { name }), error);
    } finally {
      setPending(undefined);
    }
  };
  return {
    ask: setAsked,
    pending,
    dialog: asked && (
      <DeleteDialog
        key={asked.uid}
        pod={asked}
        onClose={() => setAsked(null)}
        onDelete={(force) => void remove(asked, force)}
      />
    ),
  };
}
