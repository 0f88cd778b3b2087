/** Does things with containers, asks before one goes, and says what came of it. */
import { type ReactNode, useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from 'sonner';
import { useMay } from '@/api/queries/access';
import {
  type BulkResult,
  type Container,
  type ContainerAction,
  useBulkAction,
  useContainerAction,
} from '@/api/queries/containers';
import { Button } from '@/components/Button';
import { RemoveDialog } from '@/components/container/RemoveDialog';
import { Dialog } from '@/components/Dialog';
import { notifyDone, notifyFailure } from '@/lib/notify';
import { BulkResults } from './BulkResults';

export interface Actions {
  act: (container: Container, action: ContainerAction) => void;
  actAll: (containers: readonly Container[], action: ContainerAction) => void;
  /** What is being done with this one. */
  pendingOf: (id: string) => ContainerAction | undefined;
  isBulkPending: boolean;
  /** Why containers that may not be changed may not. */
  refusal: string;
  /** The question that is open, and the results that are to be read. */
  dialogs: ReactNode;
}

export function useContainerActions(onRemoved?: () => void): Actions {
  const { t } = useTranslation();
  const isOperator = useMay('operator');
  const single = useContainerAction();
  const bulk = useBulkAction();
  const [pending, setPending] = useState<ReadonlyMap<string, ContainerAction>>(new Map());
  const [removal, setRemoval] = useState<readonly Container[] | null>(null);
  const [results, setResults] = useState<{
    action: ContainerAction;
    results: BulkResult[];
    names: Map<string, string>;
  } | null>(null);
  const { mutateAsync } = single;
  const run = useCallback(
    async (container: Container, action: ContainerAction, force = false) => {
      const { id, name } = container;
      setPending((before) => new Map(before).set(id, action));
      try {
        const { warning } = await mutateAsync({ id, action, force });
        const done = t(`containers.done.${action}`, { name });
        if (warning) toast.warning(done, { description: warning, duration: 10_000 });
        else notifyDone(done);
        if (action === 'remove') onRemoved?.();
      } catch (error) {
        notifyFailure(t(`containers.failed.${action}`, { name }), error);
      } finally {
        setPending((before) => {
          const after = new Map(before);
          after.delete(id);
          return after;
        });
      }
    },
    [mutateAsync, onRemoved, t],
  );
  const runAll = async (containers: readonly Container[], action: ContainerAction, force = false) => {
    try {
      const ids = containers.map(({ id }) => id);
      const answer = await bulk.mutateAsync({ action, ids, force });
      const hasNews = answer.failed > 0 || answer.results.some(({ warning }) => warning);
      if (hasNews)
        setResults({
          action,
          results: answer.results,
          names: new Map(containers.map(({ id, name }) => [id, name])),
        });
      else notifyDone(t(`containers.doneMany.${action}`, { count: answer.succeeded }));
    } catch (error) {
      notifyFailure(t('containers.failedMany'), error);
    }
  };
  const remove = (force: boolean) => {
    if (!removal) return;
    const [first] = removal;
    if (removal.length === 1 && first) void run(first, 'remove', force);
    else void runAll(removal, 'remove', force);
    setRemoval(null);
  };
  return {
    act: (container, action) => {
      if (action === 'remove') setRemoval([container]);
      else void run(container, action);
    },
    actAll: (containers, action) => {
      if (action === 'remove') setRemoval(containers);
      else void runAll(containers, action);
    },
    pendingOf: (id) => pending.get(id),
    isBulkPending: bulk.isPending,
    refusal: isOperator ? t('containers.notOurs') : t('state.notAllowed'),
    dialogs: (
      <>
        {removal && <RemoveDialog containers={removal} onRemove={remove} onClose={() => setRemoval(null)} />}
        <Dialog
          isOpen={results !== null}
          onClose={() => setResults(null)}
          title={results ? t(`containers.results.${results.action}`) : ''}
          footer={<Button onClick={() => setResults(null)}>{t('action.close')}</Button>}
        >
          {results && <BulkResults results={results.results} names={results.names} />}
        </Dialog>
      </>
    ),
  };
}
