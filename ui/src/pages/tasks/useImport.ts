/** Takes task files, makes tasks of them, and tells what came of it. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type ImportedFile, useImportTasks } from '@/api/queries/task-files';
import { notifyDone, notifyFailure } from '@/lib/notify';
import { tallyImport } from './ImportResults';

export function useImport() {
  const { t } = useTranslation();
  const mutation = useImportTasks();
  const [told, setTold] = useState<ImportedFile[] | null>(null);
  const take = (files: File[]) => {
    if (files.length === 0 || mutation.isPending) return;
    mutation.mutate(files, {
      onSuccess: (answers) => {
        const { made, isClean } = tallyImport(answers);
        if (isClean) notifyDone(t('tasks.import.made', { count: made }));
        else setTold(answers);
      },
      onError: (error) => notifyFailure(t('tasks.import.failed'), error),
    });
  };
  return { take, isPending: mutation.isPending, told, forget: () => setTold(null) };
}
