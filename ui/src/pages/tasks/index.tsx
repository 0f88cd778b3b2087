/** Every task: what it is, how far it is, what came of it, and what can be done with it. */
import { useQuery } from '@tanstack/react-query';
import { FileInput, Plus, SearchX } from 'lucide-react';
import { useCallback, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { taskList } from '@/api/queries/tasks';
import { Button, buttonClass } from '@/components/Button';
import { Page } from '@/components/Page';
import { Pagination } from '@/components/Pagination';
import { Empty, Failed, SkeletonRows } from '@/components/States';
import { FileDrop } from '@/components/task/FileDrop';
import { useAddress } from '@/lib/address';
import { cx } from '@/lib/cx';
import { useMedia } from '@/lib/media';
import { href } from '@/lib/navigate';
import { isFiltered, paramsOf, readView, SIZES, sortedBy } from './address';
import { BulkBar } from './BulkBar';
import { Filters } from './Filters';
import { ImportResults } from './ImportResults';
import { NoTasks } from './NoTasks';
import { TaskCards } from './TaskCards';
import { TaskTable } from './TaskTable';
import { useImport } from './useImport';
import { useRowKeys } from './useRowKeys';

const FILES = '.yaml,.yml,.json,application/json,application/yaml';

export function TasksPage() {
  const { t } = useTranslation();
  const [search, change] = useAddress();
  const view = readView(search);
  const { data, error, isPending, isPlaceholderData, refetch } = useQuery(taskList(paramsOf(view)));
  const mayOperate = useMay('operator');
  const isNarrow = useMedia('(max-width: 767px)');
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const list = useRef<HTMLDivElement>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const files = useImport();

  const tasks = useMemo(() => data?.items ?? [], [data]);
  const selected = useMemo(() => tasks.filter(({ id }) => chosen.has(id)), [tasks, chosen]);
  const toggle = useCallback(
    (id: number) =>
      setChosen((before) => {
        // The key that selects is pressed by those too who have nothing to do with what they selected.
        if (!mayOperate) return before;
        const after = new Set(before);
        if (!after.delete(id)) after.add(id);
        return after;
      }),
    [mayOperate],
  );
  useRowKeys(list, toggle);
  const choose = () => chooser.current?.click();
  const isEmpty = data !== undefined && data.total === 0;
  const rows = {
    tasks,
    selected: chosen,
    onSelect: toggle,
    onSelectAll: (isOn: boolean) => setChosen(new Set(isOn ? tasks.map(({ id }) => id) : [])),
    isSelectable: mayOperate,
    view,
    onSort: (sort: typeof view.sort) => change(sortedBy(view, sort)),
  };
  return (
    <Page
      title={t('nav.tasks')}
      actions={
        mayOperate && (
          <>
            <Button icon={FileInput} onClick={choose} isPending={files.isPending}>
              {t('tasks.import.button')}
            </Button>
            <a href={href.newTask()} className={buttonClass('primary')}>
              <Plus aria-hidden className="size-4" />
              {t('nav.newTask')}
            </a>
          </>
        )
      }
    >
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        accept={FILES}
        aria-label={t('tasks.import.button')}
        onChange={({ target }) => {
          files.take([...(target.files ?? [])]);
          target.value = '';
        }}
      />
      {mayOperate && <FileDrop onFiles={files.take} text={t('tasks.import.drop')} />}
      {(!isEmpty || isFiltered(view)) && <Filters view={view} onChange={change} />}
      <div ref={list} aria-busy={isPlaceholderData} className="card overflow-hidden">
        {isPending ? (
          <SkeletonRows rows={8} />
        ) : error && !data ? (
          <Failed error={error} onRetry={() => void refetch()} />
        ) : isEmpty && !isFiltered(view) ? (
          <NoTasks onImport={choose} isImporting={files.isPending} />
        ) : tasks.length === 0 ? (
          <Empty
            icon={SearchX}
            title={t(isEmpty ? 'list.nothingFound' : 'tasks.emptyPage.title')}
            text={t(isEmpty ? 'tasks.nothingFound' : 'tasks.emptyPage.text')}
          >
            {isEmpty ? (
              <Button onClick={() => change({ status: undefined, q: undefined, runtime: undefined })}>
                {t('list.clearFilters')}
              </Button>
            ) : (
              <Button onClick={() => change({ page: undefined })}>{t('tasks.firstPage')}</Button>
            )}
          </Empty>
        ) : (
          <div className={cx(isPlaceholderData && 'opacity-60 transition-opacity delay-200')}>
            {isNarrow ? <TaskCards {...rows} /> : <TaskTable {...rows} />}
          </div>
        )}
        {data && tasks.length > 0 && (
          <Pagination
            page={view.page}
            size={view.size}
            total={data.total}
            onPage={(page) => change({ page: page === 1 ? undefined : page }, true)}
            sizes={SIZES}
            onSize={(size) => change({ size: size === SIZES[0] ? undefined : size, page: undefined })}
          />
        )}
      </div>
      {selected.length > 0 && <div aria-hidden className="h-20" />}
      <BulkBar tasks={selected} onClear={() => setChosen(new Set())} />
      <ImportResults files={files.told} onClose={files.forget} />
    </Page>
  );
}
