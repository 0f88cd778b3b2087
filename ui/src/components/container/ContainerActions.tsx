/** What can be done with a container at what it is at. */
import { CirclePause, CirclePlay, type LucideIcon, Play, RotateCw, Square, Trash2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Container, ContainerAction } from '@/api/queries/containers';
import { cx } from '@/lib/cx';
import { IconButton, type Tone } from '../Button';

export const LOOKS: Record<ContainerAction, { icon: LucideIcon; tone: Tone }> = {
  start: { icon: Play, tone: 'good' },
  stop: { icon: Square, tone: 'warn' },
  restart: { icon: RotateCw, tone: 'info' },
  pause: { icon: CirclePause, tone: 'neutral' },
  unpause: { icon: CirclePlay, tone: 'good' },
  remove: { icon: Trash2, tone: 'bad' },
};

/** What its state allows, in the order in which it is shown. */
export function actionsFor(state: string): ContainerAction[] {
  switch (state) {
    case 'running':
      return ['stop', 'restart', 'pause', 'remove'];
    case 'restarting':
      return ['stop', 'restart', 'remove'];
    case 'paused':
      return ['unpause', 'stop', 'remove'];
    case 'removing':
      return [];
    default:
      return ['start', 'remove'];
  }
}

export interface ContainerActionsProps {
  container: Container;
  /** What is being done with it. */
  pending: ContainerAction | undefined;
  /** Why nothing may be done with it. */
  refusal: string | undefined;
  onAction: (action: ContainerAction) => void;
  className?: string;
}

export function ContainerActions({
  container,
  pending,
  refusal,
  onAction,
  className,
}: ContainerActionsProps) {
  const { t } = useTranslation();
  const { manageable } = container;
  return (
    <div className={cx('flex items-center', className)}>
      {actionsFor(container.state).map((action) => {
        const label = t(`containers.action.${action}`);
        return (
          <IconButton
            key={action}
            icon={LOOKS[action].icon}
            tone={manageable ? LOOKS[action].tone : 'neutral'}
            label={label}
            tip={manageable ? label : `${label}: ${refusal}`}
            aria-disabled={!manageable || undefined}
            aria-description={manageable ? undefined : refusal}
            isPending={pending === action}
            disabled={pending !== undefined && pending !== action}
            onClick={() => manageable && onAction(action)}
          />
        );
      })}
    </div>
  );
}
