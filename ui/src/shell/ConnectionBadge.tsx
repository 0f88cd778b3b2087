/** Whether what is shown is live. */
import { useTranslation } from 'react-i18next';
import { useConnection } from '@/api/events';
import { Tip } from '@/components/Tip';
import { cx } from '@/lib/cx';

const DOTS = { live: 'bg-good', connecting: 'bg-warn animate-pulse', lost: 'bg-bad animate-pulse' };

export function ConnectionBadge() {
  const { t } = useTranslation();
  const { connection } = useConnection();
  const text = { live: t('state.live'), connecting: t('state.connecting'), lost: t('state.reconnecting') }[
    connection
  ];
  return (
    <Tip text={text}>
      <span
        role="status"
        data-connection={connection}
        className="inline-flex items-center gap-2 px-2 text-muted text-xs"
      >
        <span aria-hidden className={cx('size-2 rounded-full', DOTS[connection])} />
        {connection === 'live' ? t('state.live') : connection === 'connecting' ? t('state.connecting') : '…'}
        <span className="sr-only">{text}</span>
      </span>
    </Tip>
  );
}
