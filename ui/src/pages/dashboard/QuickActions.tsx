/** What one may want to do first. */
import { Box, FileUp, Play, Plus } from 'lucide-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { useImportTasks, useStartDemo } from '@/api/queries/task-files';
import { Button, buttonClass } from '@/components/Button';
import { useGo } from '@/lib/address';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import { notifyDone, notifyFailure } from '@/lib/notify';

/** Starts the demonstration's task and leads to it. */
export function useDemo() {
  const { t } = useTranslation();
  const go = useGo();
  const demo = useStartDemo();
  // The guide from which it is started goes as soon as there is a task: what follows must not go with it.
  const start = async () => {
    try {
      const task = await demo.mutateAsync();
      notifyDone(t('dashboard.demoStarted', { name: task.task_name }));
      go(href.task(task.id));
    } catch (error) {
      notifyFailure(t('dashboard.demoFailed'), error);
    }
  };
  return { start: () => void start(), isPending: demo.isPending };
}

export function QuickActions() {
  const { t } = useTranslation();
  const mayOperate = useMay('operator');
  const demo = useDemo();
  return (
    <>
      <a href={href.containers()} className={cx(buttonClass(), 'max-sm:hidden')}>
        <Box aria-hidden className="size-4" />
        {t('nav.containers')}
      </a>
      {mayOperate && (
        <>
          <ImportButton />
          <Button icon={Play} onClick={demo.start} isPending={demo.isPending}>
            {t('dashboard.demo')}
          </Button>
          <a href={href.newTask()} className={buttonClass('primary')}>
            <Plus aria-hidden className="size-4" />
            {t('nav.newTask')}
          </a>
        </>
      )}
    </>
  );
}

function ImportButton() {
  const { t } = useTranslation();
  const go = useGo();
  const field = useRef<HTMLInputElement>(null);
  const load = useImportTasks();
  const take = (files: File[]) => {
    if (files.length === 0) return;
    load.mutate(files, {
      onSuccess: (told) => {
        const results = told.flatMap(({ results }) => results);
        const made = results.filter(({ ok }) => ok);
        for (const { name, error } of told)
          if (error) notifyFailure(t('dashboard.importFailed', { name }), error);
        for (const { task_name, index, error } of results) {
          if (error)
            notifyFailure(
              t('dashboard.importFailed', { name: task_name ?? `#${index + 1}` }),
              new Error(
                error.problems?.map(({ path, message }) => `${path}: ${message}`).join('\n') || error.detail,
              ),
            );
        }
        if (made.length === 0) return;
        notifyDone(t('dashboard.imported', { count: made.length }));
        const only = made.length === 1 ? made[0]?.id : undefined;
        go(only ? href.task(only) : href.tasks());
      },
    });
  };
  return (
    <>
      <input
        ref={field}
        type="file"
        multiple
        accept=".yaml,.yml,.json"
        className="hidden"
        aria-label={t('dashboard.import')}
        onChange={(event) => {
          take([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
      <Button icon={FileUp} isPending={load.isPending} onClick={() => field.current?.click()}>
        {t('dashboard.import')}
      </Button>
    </>
  );
}
