/** Documents that are dropped, pasted or picked: one fills the form, several are offered for import. */
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from 'sonner';
import { formatOf, readText, tasksOf } from '@/components/editor/text';
import { isObject, type Json } from '@/components/form/json';
import type { DocumentStore } from '@/components/form/store';
import type { Written } from './draft';
import { type Given, useFileDrop } from './useFileDrop';

export function useGiven(
  store: DocumentStore,
  take: (written: Written | undefined) => void,
  onFilled: () => void,
) {
  const { t } = useTranslation();
  const [several, setSeveral] = useState<Json[]>();
  const fill = useCallback(
    (next: Json, from?: Given) => {
      const before = store.get();
      store.replace(next);
      take(from ? { text: from.text, format: formatOf(from.text, from.name) } : undefined);
      onFilled();
      const what = from?.name ? 'filled' : from ? 'pasted' : 'replaced';
      toast.success(t(`form.import.${what}`, { name: from?.name }), {
        position: 'top-center',
        action: { label: t('action.undo'), onClick: () => store.replace(before) },
      });
    },
    [store, take, onFilled, t],
  );
  const receive = useCallback(
    (given: Given | undefined) => {
      if (!given) {
        toast.error(t('form.import.tooLarge'));
        return;
      }
      const { documents, errors } = readText(given.text, formatOf(given.text, given.name));
      const tasks = tasksOf(documents);
      const [only] = tasks;
      const isTask = isObject(only) && Object.keys(only).length > 0;
      // What is pasted by chance is no task and nothing to speak of.
      if (given.name === undefined && (errors.length > 0 || !isTask)) return;
      if (errors[0])
        toast.error(t('form.import.failed'), {
          description: t('form.text.error', { ...errors[0] }),
          position: 'top-center',
          duration: 10_000,
        });
      else if (tasks.length > 1) setSeveral(tasks);
      else if (isTask) fill(only, given);
      else toast.error(t('form.import.failed'), { description: t('form.text.empty') });
    },
    [fill, t],
  );
  const isOver = useFileDrop(receive);
  return { fill, receive, several, setSeveral, isOver };
}
