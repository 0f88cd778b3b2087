/** What stands before the first line of a log, and what stands in place of lines. */
import { Download, History } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { readLog } from '@/api/log-stream';
import type { LogSource } from '@/api/logs';
import { number } from '@/lib/format';
import { notifyFailure } from '@/lib/notify';
import { Button, buttonClass } from '../Button';
import { Failed } from '../States';
import type { LogModel } from './model';
import type { Find } from './useFind';
import type { OpenLog } from './useLog';
import { useModel } from './useModel';

/** Older lines that are had at once. */
const MORE = 5_000;

export function Head({ source, model }: { source: LogSource; model: LogModel }) {
  const { t } = useTranslation();
  const [isPending, setPending] = useState(false);
  const [isStart, setStart] = useState(false);
  const { ring } = model;
  // While the end is followed nobody sees how many have left.
  useModel(model, ({ isFollowing }) => (ring.dropped > 0 && isFollowing ? -1 : ring.dropped));
  if (ring.dropped > 0) {
    return (
      <>
        <span className="truncate text-xs">
          {t('logs.dropped', { count: ring.dropped, shown: number(ring.dropped, 9) })}
        </span>
        <a href={source.downloadUrl} download={source.filename} className={buttonClass('secondary', 'sm')}>
          <Download aria-hidden className="size-3.5" />
          {t('logs.downloadAll')}
        </a>
      </>
    );
  }
  const oldest = ring.oldestStamp;
  if (!source.readUrl || oldest === '' || isStart || ring.size >= ring.capacity)
    return <span className="text-faint text-xs">{t('logs.beginning')}</span>;
  const load = async () => {
    setPending(true);
    try {
      const { items } = await readLog(source, { tail: MORE, until: oldest });
      const older = items.filter((item) => typeof item !== 'string' && item.t < oldest);
      model.follow(false);
      model.prepend(older);
      if (older.length === 0) setStart(true);
    } catch (error) {
      notifyFailure(t('logs.notLoaded'), error);
    } finally {
      setPending(false);
    }
  };
  return (
    <Button size="sm" icon={History} isPending={isPending} onClick={load}>
      {t('logs.earlier')}
    </Button>
  );
}

export function Empty({ log, source, find }: { log: OpenLog; source: LogSource; find: Find }) {
  const { t } = useTranslation();
  useModel(log.model, ({ ring }) => ring.lines);
  if (log.state === 'failed') return <Failed error={log.error} onRetry={log.start} className="py-4" />;
  if (log.model.ring.size > 0 && (find.minLevel > 0 || find.stream !== 'both' || find.onlyMatches)) {
    const clear = () => {
      find.setMinLevel(0);
      find.setStream('both');
      find.setOnlyMatches(false);
    };
    return (
      <>
        <p>
          {t('logs.nothingMatches', { count: log.model.ring.lines, shown: number(log.model.ring.lines, 9) })}
        </p>
        <Button size="sm" onClick={clear} className="mt-3">
          {t('list.clearFilters')}
        </Button>
      </>
    );
  }
  const isWaiting = ['connecting', 'live', 'reconnecting'].includes(log.state) && !source.isOver;
  return <p role="status">{isWaiting ? t('logs.waiting') : t('logs.none')}</p>;
}
