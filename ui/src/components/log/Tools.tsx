/** What can be done with a log. */
import {
  ArrowDownToLine,
  Copy,
  Download,
  Ellipsis,
  Eraser,
  Maximize2,
  Minimize2,
  Pause,
  Play,
  SearchCheck,
} from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { LogSource } from '@/api/logs';
import { number } from '@/lib/format';
import { notifyDone, notifyFailure } from '@/lib/notify';
import { Button, IconButton, iconButtonClass } from '../Button';
import { copyText } from '../Copy';
import { Menu } from '../Menu';
import { Tip } from '../Tip';
import { Switch } from '../Toggle';
import type { OpenLog } from './useLog';
import { useModel } from './useModel';

export function Tools({
  log,
  source,
  onSearchAll,
  isFull,
  onFull,
}: {
  log: OpenLog;
  source: LogSource;
  onSearchAll: () => void;
  isFull: boolean;
  onFull: (isFull: boolean) => void;
}) {
  const { t } = useTranslation();
  const { model } = log;
  const isFollowing = useModel(model, ({ isFollowing }) => isFollowing);
  const isEmpty = useModel(model, ({ ring }) => ring.size === 0);
  const isStreaming = ['connecting', 'live', 'reconnecting'].includes(log.state);
  const copy = async () => {
    try {
      await copyText(model.text());
      notifyDone(t('logs.copied', { count: model.ring.lines, shown: number(model.ring.lines, 9) }));
    } catch (error) {
      notifyFailure(t('state.notCopied'), error);
    }
  };
  return (
    <>
      <span className="hidden px-1 @3xl:inline-flex">
        <Switch
          label={<span className="text-muted text-xs">{t('logs.autoScroll')}</span>}
          isOn={isFollowing}
          onChange={(isOn) => model.follow(isOn)}
        />
      </span>
      <span className="@3xl:hidden">
        <IconButton
          icon={ArrowDownToLine}
          label={t('logs.autoScroll')}
          aria-pressed={isFollowing}
          tone={isFollowing ? 'accent' : 'neutral'}
          onClick={() => model.follow(!isFollowing)}
        />
      </span>
      <span className="hidden @4xl:inline-flex">
        <Button
          kind="ghost"
          size="sm"
          icon={isStreaming ? Pause : Play}
          onClick={isStreaming ? log.stop : log.start}
        >
          {isStreaming ? t('logs.stop') : t('logs.start')}
        </Button>
      </span>
      <span className="@4xl:hidden">
        <IconButton
          icon={isStreaming ? Pause : Play}
          label={isStreaming ? t('logs.stop') : t('logs.start')}
          onClick={isStreaming ? log.stop : log.start}
        />
      </span>
      <Tip text={t('logs.downloadAll')}>
        <a
          href={source.downloadUrl}
          download={source.filename}
          aria-label={t('logs.downloadAll')}
          className={iconButtonClass()}
        >
          <Download aria-hidden className="size-4" />
        </a>
      </Tip>
      <IconButton
        icon={isFull ? Minimize2 : Maximize2}
        label={isFull ? t('logs.leaveFull') : t('logs.full')}
        onClick={() => onFull(!isFull)}
      />
      <Menu
        trigger={<IconButton icon={Ellipsis} label={t('action.more')} />}
        entries={[
          {
            label: t('logs.copyAll'),
            icon: Copy,
            onSelect: () => void copy(),
            isDisabled: isEmpty,
          },
          ...(source.readUrl
            ? [{ label: t('logs.searchAll'), icon: SearchCheck, onSelect: onSearchAll }]
            : []),
          {
            label: t('logs.clear'),
            icon: Eraser,
            onSelect: () => model.clear(),
            isDisabled: isEmpty,
            startsGroup: true,
          },
        ]}
      />
    </>
  );
}
