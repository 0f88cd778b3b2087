/** One line of a log. */
import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import type { LogMark } from '@/api/logs';
import { cx } from '@/lib/cx';
import { number as formatted } from '@/lib/format';
import { DEBUG, ERROR, WARN } from './levels';
import type { Matcher } from './matcher';
import { pieces, withHits } from './text';

/** Height of a line of text in pixels; Tailwind's `leading-5`. */
export const ROW = 20;

/** Matches of one line that are shown. */
const MOST_HITS = 20;

export interface RowLook {
  isWrapped: boolean;
  /** Columns of the text where it is wrapped, of the number and of the time; 0 where there is none. */
  columns: number;
  numberColumns: number;
  stampColumns: number;
}

export interface RowProps {
  text: string;
  level: number;
  number: number;
  stamp: string;
  look: RowLook;
  rows: number;
  matcher: Matcher | null;
  /** Whether it is the match that is looked at. */
  isCurrent: boolean;
}

const EDGE: Record<number, string> = {
  [ERROR]: 'border-bad bg-bad-soft/60',
  [WARN]: 'border-warn bg-warn-soft/40',
  [DEBUG]: 'border-transparent text-muted',
};

export const LogRow = memo(function LogRow(props: RowProps) {
  const { text, level, number, stamp, look, rows, matcher, isCurrent } = props;
  const { pieces: list, left } = pieces(text);
  const ranges = matcher ? matcher.ranges(list.map((piece) => piece.text).join(''), MOST_HITS) : [];
  return (
    <div
      className={cx(
        'flex border-l-2 pr-3 pl-2.5',
        EDGE[level] ?? 'border-transparent',
        isCurrent && 'bg-accent-soft!',
      )}
      style={{ height: rows * ROW }}
    >
      {look.numberColumns > 0 && (
        <span
          className="num shrink-0 pr-2 text-right text-faint select-none"
          style={{ width: `calc(${look.numberColumns}ch + 0.5rem)` }}
        >
          {number}
        </span>
      )}
      {look.stampColumns > 0 && (
        <span className="num shrink-0 text-faint select-none" style={{ width: `${look.stampColumns}ch` }}>
          {stamp}
        </span>
      )}
      <span
        className={cx(
          'block [tab-size:8]',
          look.isWrapped ? 'whitespace-break-spaces [line-break:anywhere]' : 'whitespace-pre',
        )}
        data-line
        style={look.isWrapped ? { width: `calc(${look.columns}ch + 1px)` } : undefined}
      >
        {withHits(list, ranges).map(({ text, className, color, background, isHit }, index) =>
          className || color || background || isHit ? (
            <span
              // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a line never move
              key={index}
              className={cx(className, isHit && (isCurrent ? HIT_NOW : HIT))}
              style={
                color || background
                  ? { ...(color && { color }), ...(background && !isHit && { background }) }
                  : undefined
              }
            >
              {text}
            </span>
          ) : (
            text
          ),
        )}
        {left > 0 && <Left count={left} />}
      </span>
    </div>
  );
});

const HIT = 'rounded-xs bg-warn/35 text-fg';
const HIT_NOW = 'rounded-xs bg-accent text-accent-fg';

function Left({ count }: { count: number }) {
  const { t } = useTranslation();
  return <span className="text-faint"> {t('logs.more', { count, shown: formatted(count, 9) })}</span>;
}

/** Something that is said of the log between its lines. */
export const MarkRow = memo(function MarkRow({ mark }: { mark: LogMark }) {
  const { t } = useTranslation();
  const tone =
    mark.kind === 'gap' || mark.kind === 'daemonAway' || (mark.kind === 'stopped' && mark.isOutOfMemory)
      ? 'text-warn'
      : mark.kind === 'stopped' && mark.exitCode !== 0
        ? 'text-bad'
        : mark.kind === 'started'
          ? 'text-good'
          : 'text-muted';
  return (
    <div
      className={cx('sticky left-0 flex w-fit max-w-full items-center gap-2 px-3 font-sans', tone)}
      style={{ height: ROW }}
    >
      <span aria-hidden className="h-px w-6 shrink-0 bg-current opacity-40" />
      <span className="truncate font-medium">{markText(t, mark)}</span>
      <span aria-hidden className="h-px w-16 bg-current opacity-40" />
    </div>
  );
});

function markText(t: (key: string, values?: Record<string, unknown>) => string, mark: LogMark): string {
  switch (mark.kind) {
    case 'gap':
      return t('logs.mark.gap', { reason: mark.reason });
    case 'stopped':
      if (mark.isOutOfMemory) return t('logs.mark.outOfMemory');
      return mark.exitCode === null ? t('logs.mark.stopped') : t('logs.mark.exited', { code: mark.exitCode });
    case 'daemonAway':
      return t('logs.mark.daemonAway', { reason: mark.reason });
    case 'notice':
      return mark.text;
    default:
      return t(`logs.mark.${mark.kind}`);
  }
}
