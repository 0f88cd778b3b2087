/** Asks before a pod goes; where an experiment needs it, whether that is meant. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Pod } from '@/api/queries/pods';
import { Button } from '../Button';
import { Dialog } from '../Dialog';
import { Checkbox } from '../Toggle';

export function DeleteDialog({
  pod,
  onDelete,
  onClose,
}: {
  pod: Pod;
  onDelete: (force: boolean) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [isMeant, setMeant] = useState(false);
  const { name, is_needed, task_name, experiment_id } = pod;
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="sm"
      title={t('pods.delete.title')}
      footer={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button kind="danger" disabled={is_needed && !isMeant} onClick={() => onDelete(is_needed)}>
            {t('action.delete')}
          </Button>
        </>
      }
    >
      <p className="font-mono text-xs break-all">{name}</p>
      <p className="mt-2 text-muted">{t(is_needed ? 'pods.delete.textNeeded' : 'pods.delete.text')}</p>
      {is_needed && (
        <div className="mt-4">
          <p role="alert" className="mb-3 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
            {t('pods.delete.needed', { task: task_name, number: experiment_id })}
          </p>
          <Checkbox label={t('pods.delete.meant')} isOn={isMeant} onChange={setMeant} />
        </div>
      )}
    </Dialog>
  );
}
