/**
 * A log as it grows: followed without loss, searched, filtered, copied and downloaded. Where it comes
 * from is its source's affair.
 */
import { ArrowDown } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LogSource } from '@/api/logs';
import { cx } from '@/lib/cx';
import { number } from '@/lib/format';
import { Empty, Head } from './Around';
import { FindBar } from './FindBar';
import type { Kept } from './kept';
import { LogList, type LogListHandle } from './LogList';
import type { LogModel } from './model';
import { useLogPrefs } from './prefs';
import { ServerSearch } from './ServerSearch';
import { StateBadge } from './StateBadge';
import { Tools } from './Tools';
import { useFind } from './useFind';
import { useLog } from './useLog';
import { useModel } from './useModel';
import { ViewMenu } from './ViewMenu';

export interface LogViewProps {
  source: LogSource;
  /** Says how high it is, among others. */
  className?: string | undefined;
  /** Where what is searched for and filtered is kept; nowhere, where several logs share an address. */
  kept?: Kept | undefined;
  /** Stands at the front of the bar, where several logs are side by side. */
  title?: ReactNode;
  /** Stands at the end of the bar. */
  actions?: ReactNode;
}

export function LogView(props: LogViewProps) {
  return <View key={props.source.key} {...props} />;
}

function View({ source, className, kept, title, actions }: LogViewProps) {
  const { t } = useTranslation();
  const log = useLog(source);
  const { model } = log;
  const prefs = useLogPrefs();
  const find = useFind(model, kept);
  const list = useRef<LogListHandle>(null);
  const input = useRef<HTMLInputElement>(null);
  const [isFull, setFull] = useState(false);
  const [isSearching, setSearching] = useState(false);
  const pressed = (event: KeyboardEvent) => {
    // What is open above the page is in here only for React; it has its own keys.
    if (!(event.target instanceof Node && event.currentTarget.contains(event.target))) return;
    const isTyping = event.target instanceof HTMLInputElement;
    if (event.key === '/' && !isTyping) {
      input.current?.focus();
      input.current?.select();
    } else if (event.key === 'Escape' && isFull) setFull(false);
    else if (event.key === 'End' && !isTyping) model.follow(true);
    else if (event.key === 'Home' && !isTyping) list.current?.toStart();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: its keys are those of what is inside
    <div
      onKeyDown={pressed}
      className={cx(
        '@container flex min-h-0 min-w-0 flex-col overflow-hidden border-line bg-surface',
        isFull
          ? 'fixed inset-0 z-[35]'
          : cx('relative rounded-xl border shadow-card', className ?? 'h-[max(24rem,calc(100dvh-15rem))]'),
      )}
    >
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1.5 border-line border-b px-2 py-1.5">
        {title}
        <StateBadge state={log.state} isOver={source.isOver ?? false} />
        <FindBar
          model={model}
          find={find}
          inputRef={input}
          onShow={(place) => list.current?.show(place)}
          onLeave={() => list.current?.focus()}
          onSearchAll={source.readUrl ? () => setSearching(true) : undefined}
          className="order-last basis-full @2xl:order-none @2xl:max-w-xl @2xl:flex-1 @2xl:basis-48"
        />
        <div className="ml-auto flex items-center gap-0.5">
          <ViewMenu prefs={prefs} find={find} hasTimes={source.hasTimes ?? false} />
          <Tools
            log={log}
            source={source}
            onSearchAll={() => setSearching(true)}
            isFull={isFull}
            onFull={setFull}
          />
          {actions}
        </div>
      </div>
      <LogList
        ref={list}
        model={model}
        prefs={prefs}
        matcher={find.matcher}
        current={find.current}
        label={t('logs.of', { name: source.filename })}
        head={<Head source={source} model={model} />}
        empty={<Empty log={log} source={source} find={find} />}
      />
      <Unseen model={model} onClick={() => model.follow(true)} />
      {isSearching && (
        <ServerSearch source={source} search={find.search} onClose={() => setSearching(false)} />
      )}
    </div>
  );
}

/** That lines came while somebody reads, and the way to them. */
function Unseen({ model, onClick }: { model: LogModel; onClick: () => void }) {
  const { t } = useTranslation();
  const isShown = useModel(model, ({ isFollowing, ring }) => !isFollowing && ring.size > 0);
  const unseen = useModel(model, ({ unseen }) => unseen);
  const isHolding = useModel(model, ({ isHolding }) => isHolding);
  if (!isShown) return null;
  return (
    <button
      type="button"
      onClick={onClick}
      className="absolute bottom-3 left-1/2 z-10 inline-flex -translate-x-1/2 items-center gap-1.5 rounded-full bg-accent px-3 py-1.5 font-medium text-accent-fg text-xs shadow-pop hover:bg-accent-hover"
    >
      {unseen === 0
        ? t('logs.toEnd')
        : t('logs.unseen', { count: unseen, shown: `${number(unseen, 9)}${isHolding ? '+' : ''}` })}
      <ArrowDown aria-hidden className="size-3.5" />
    </button>
  );
}
