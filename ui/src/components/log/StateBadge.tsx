/** How a log stands: live, on its way, or at its end. */
import { useTranslation } from 'react-i18next';
import type { LogState } from '@/api/log-stream';
import { cx } from '@/lib/cx';
import { Badge } from '../Badge';
import type { Tone } from '../Button';

const TONES: Record<LogState, Tone> = {
  connecting: 'neutral',
  live: 'good',
  reconnecting: 'warn',
  ended: 'neutral',
  failed: 'bad',
  stopped: 'neutral',
};

export function StateBadge({ state, isOver }: { state: LogState; isOver: boolean }) {
  const { t } = useTranslation();
  const shown = state === 'live' && isOver ? 'ended' : state;
  return (
    <span role="status" className="inline-flex">
      <Badge tone={TONES[shown]}>
        <span
          aria-hidden
          className={cx(
            'size-1.5 rounded-full bg-current',
            (shown === 'live' || shown === 'reconnecting') && 'animate-pulse',
          )}
        />
        {t(`logs.state.${shown}`)}
      </Badge>
    </span>
  );
}
