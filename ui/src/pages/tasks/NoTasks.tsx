/** What the page says while there is no task at all: three ways to the first one. */
import { FileInput, ListTodo, Plus, Sparkles } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { useStartDemo } from '@/api/queries/task-files';
import { Button, buttonClass } from '@/components/Button';
import { Empty } from '@/components/States';
import { useGo } from '@/lib/address';
import { href } from '@/lib/navigate';
import { notifyFailure } from '@/lib/notify';

export function NoTasks({ onImport, isImporting }: { onImport: () => void; isImporting: boolean }) {
  const { t } = useTranslation();
  const mayOperate = useMay('operator');
  const go = useGo();
  const demo = useStartDemo();
  const startDemo = () =>
    demo.mutate(undefined, {
      onSuccess: ({ id }) => go(href.task(id)),
      onError: (error) => notifyFailure(t('tasks.demo.refused'), error),
    });
  return (
    <Empty
      icon={ListTodo}
      title={t('tasks.none.title')}
      text={
        <>
          <p>{t('tasks.none.text')}</p>
          {mayOperate && <p className="mt-2">{t('tasks.none.demo')}</p>}
        </>
      }
    >
      {mayOperate && (
        <>
          <a href={href.newTask()} className={buttonClass('primary')}>
            <Plus aria-hidden className="size-4" />
            {t('nav.newTask')}
          </a>
          <Button icon={FileInput} onClick={onImport} isPending={isImporting}>
            {t('tasks.import.button')}
          </Button>
          <Button icon={Sparkles} onClick={startDemo} isPending={demo.isPending}>
            {t('tasks.demo.button')}
          </Button>
        </>
      )}
    </Empty>
  );
}
