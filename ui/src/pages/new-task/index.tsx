/** A task document is made here: a new one, the copy of another, or a pending one that is edited. */
import { FileLock2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { StatusBadge } from '@/components/Badge';
import { buttonClass } from '@/components/Button';
import { Page } from '@/components/Page';
import { Empty, Failed, Skeleton } from '@/components/States';
import { useAddress } from '@/lib/address';
import { href } from '@/lib/navigate';
import { sourceOf, useSource } from './source';
import { TaskForm } from './TaskForm';

export function NewTaskPage() {
  const { t } = useTranslation();
  const [search] = useAddress();
  const source = sourceOf(search);
  const { document, task, error, retry } = useSource(source);
  const title = t(`form.title.${source.mode}`);
  const trail = (
    <>
      <a href={href.tasks()} className="hover:text-fg">
        {t('nav.tasks')}
      </a>
      {source.id !== undefined && (
        <>
          <span aria-hidden>/</span>
          <a href={href.task(source.id)} className="hover:text-fg">
            {task?.task_name ?? source.id}
          </a>
        </>
      )}
      <span aria-hidden>/</span>
      <span>{title}</span>
    </>
  );
  if (document === undefined) {
    return (
      <Page title={title} trail={trail}>
        {error ? (
          <Failed error={error} onRetry={retry} />
        ) : (
          <div aria-busy className="space-y-4">
            <Skeleton className="h-40 w-full" />
            <Skeleton className="h-64 w-full" />
          </div>
        )}
      </Page>
    );
  }
  if (source.mode === 'edit' && task && task.status !== 'pending') {
    return (
      <Page title={title} trail={trail} badge={<StatusBadge status={task.status} />}>
        <Empty icon={FileLock2} title={t('form.locked.title')} text={t('form.locked.text')}>
          <a href={href.task(task.id)} className={buttonClass('primary')}>
            {t('form.locked.show', { name: task.task_name })}
          </a>
          <a href={href.newTask({ from: task.id })} className={buttonClass()}>
            {t('form.locked.copy')}
          </a>
        </Empty>
      </Page>
    );
  }
  return <TaskForm key={source.key} source={source} initial={document} trail={trail} title={title} />;
}
