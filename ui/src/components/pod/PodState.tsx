/** What a pod is at, in a word and a colour. */
import { useTranslation } from 'react-i18next';
import type { Pod } from '@/api/queries/pods';
import { cx } from '@/lib/cx';
import { Badge } from '../Badge';
import type { Tone } from '../Button';

const TONES: Record<string, Tone> = {
  waiting: 'warn',
  preparing: 'info',
  stuck: 'bad',
  running: 'good',
  ending: 'neutral',
  done: 'neutral',
  failed: 'bad',
};

/** Whether nothing more comes of it. */
export function isOver(state: string): boolean {
  return state === 'done' || state === 'failed';
}

export function PodState({ pod: { state, exit_code } }: { pod: Pick<Pod, 'state' | 'exit_code'> }) {
  const { t } = useTranslation();
  const isMoving = state === 'running' || state === 'preparing' || state === 'ending';
  return (
    <Badge tone={TONES[state] ?? 'neutral'} className="shrink-0">
      <span aria-hidden className={cx('size-1.5 rounded-full bg-current', isMoving && 'animate-pulse')} />
      {t(`pods.state.${state}`, { defaultValue: state })}
      {state === 'failed' && typeof exit_code === 'number' && exit_code !== 0 && (
        <span className="num">{exit_code}</span>
      )}
    </Badge>
  );
}
