/** Finds another experiment for a comparison, in any task. */
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { experimentList } from '@/api/queries/experiments';
import { taskList } from '@/api/queries/tasks';
import { Dialog } from '@/components/Dialog';
import { ObjectiveValue, ParameterChips, RoleBadge } from '@/components/experiment/parts';
import { SearchInput } from '@/components/Input';
import { Select } from '@/components/Select';
import { SkeletonRows } from '@/components/States';

export function AddDialog({
  isOpen,
  onClose,
  taken,
  onAdd,
}: {
  isOpen: boolean;
  onClose: () => void;
  taken: readonly number[];
  onAdd: (id: number) => void;
}) {
  const { t } = useTranslation();
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      title={t('experiments.compare.add')}
      description={t('experiments.compare.addHint')}
      width="lg"
    >
      {isOpen && <Found taken={taken} onAdd={onAdd} />}
    </Dialog>
  );
}

function Found({ taken, onAdd }: { taken: readonly number[]; onAdd: (id: number) => void }) {
  const { t } = useTranslation();
  const [q, setQ] = useState('');
  const [task, setTask] = useState('');
  const { data: tasks } = useQuery(taskList({ limit: 200 }));
  const { data, isPending } = useQuery(
    experimentList({
      limit: 40,
      brief: true,
      status: 'success',
      ...(q ? { q } : {}),
      ...(task ? { task_id: Number(task), sort: 'score', order: 'desc' } : {}),
    }),
  );
  const rows = (data?.items ?? []).filter((each) => !taken.includes(each.id));
  const names = new Map(tasks?.items.map((each) => [each.id, each.task_name]));
  return (
    <div>
      <div className="mb-3 flex flex-wrap gap-2">
        <SearchInput value={q} onChange={setQ} label={t('experiments.search')} className="min-w-0 flex-1" />
        <Select
          label={t('experiments.column.task')}
          value={task}
          onChange={setTask}
          className="max-w-64"
          options={[
            { value: '', label: t('experiments.anyTask') },
            ...(tasks?.items ?? []).map((each) => ({ value: String(each.id), label: each.task_name })),
          ]}
        />
      </div>
      {isPending ? (
        <SkeletonRows rows={5} />
      ) : rows.length === 0 ? (
        <p className="py-8 text-center text-muted">{t('experiments.compare.nothingFound')}</p>
      ) : (
        <ul className="divide-y divide-line rounded-lg border border-line">
          {rows.map((each) => (
            <li key={each.id}>
              <button
                type="button"
                onClick={() => onAdd(each.id)}
                className="w-full px-3 py-2 text-left hover:bg-sunken"
              >
                <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
                  <span className="font-medium">#{each.experiment_id}</span>
                  <span className="text-muted">
                    {each.task_name ??
                      names.get(each.task_id) ??
                      t('experiments.taskNumber', { id: each.task_id })}
                  </span>
                  <RoleBadge role={each.role} />
                  <ObjectiveValue experiment={each} className="ml-auto font-medium" />
                </span>
                <span className="mt-1 block">
                  <ParameterChips parameters={each.parameters} most={6} />
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
