/** The way to the question whether a pod is to be deleted. */
import { Trash2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Pod } from '@/api/queries/pods';
import { IconButton } from '../Button';
import type { Delete } from './useDelete';

export function DeleteButton({ pod, remove }: { pod: Pod; remove: Delete }) {
  const { t } = useTranslation();
  const { manageable, state } = pod;
  const label = t('action.delete');
  const refusal = manageable ? undefined : t('state.notAllowed');
  return (
    <IconButton
      icon={Trash2}
      tone={manageable ? 'bad' : 'neutral'}
      label={label}
      tip={refusal ? `${label}: ${refusal}` : label}
      aria-disabled={!manageable || undefined}
      aria-description={refusal}
      isPending={remove.pending === pod.name}
      disabled={state === 'ending'}
      onClick={() => manageable && remove.ask(pod)}
    />
  );
}
