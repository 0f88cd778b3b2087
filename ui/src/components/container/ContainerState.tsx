/** What a container is at, in Docker's word and a colour. */
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import { Badge } from '../Badge';
import type { Tone } from '../Button';

const TONES: Record<string, Tone> = {
  running: 'good',
  exited: 'neutral',
  created: 'neutral',
  removing: 'neutral',
  paused: 'warn',
  restarting: 'info',
  dead: 'bad',
};

export function ContainerState({
  state,
  exitCode,
  health,
}: {
  state: string;
  exitCode?: number | null | undefined;
  health?: string | null | undefined;
}) {
  const { t } = useTranslation();
  const hasFailed = state === 'exited' && typeof exitCode === 'number' && exitCode !== 0;
  return (
    <span className="flex shrink-0 items-center gap-1">
      <Badge tone={TONES[state] ?? 'neutral'}>
        <span
          aria-hidden
          className={cx(
            'size-1.5 rounded-full bg-current',
            (state === 'running' || state === 'restarting') && 'animate-pulse',
          )}
        />
        {t(`containers.state.${state}`, { defaultValue: state })}
        {hasFailed && <span className="num text-bad">{exitCode}</span>}
      </Badge>
      {health && health !== 'healthy' && (
        <Badge tone={health === 'unhealthy' ? 'bad' : 'info'}>
          {t(`containers.health.${health}`, { defaultValue: health })}
        </Badge>
      )}
    </span>
  );
}
