/**
 * The lines that are in sight, and a few around them. Following, it stays at the end; otherwise what
 * is read stays where it is, to the pixel, whatever comes and goes.
 */
import {
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import { useTranslation } from 'react-i18next';
import { LogRow, MarkRow, ROW, type RowLook } from './LogRow';
import type { Matcher } from './matcher';
import type { LogModel } from './model';
import type { LogPrefs } from './prefs';
import { MARK } from './ring';
import { STAMP_COLUMNS, stampText } from './stamps';
import { useSize } from './useSize';

/** Rows that are drawn beyond what is in sight. */
const OVERSCAN = 8;

/** Room above the first line for what is said of the beginning. */
const HEAD = 40;

/** More than are ever drawn at once: rows that differ by it share a place in the page. */
const SLOTS = 512;

export interface LogListHandle {
  /** Brings an entry into sight, in the middle. */
  show(place: number): void;
  toStart(): void;
  focus(): void;
}

export interface LogListProps {
  model: LogModel;
  prefs: LogPrefs;
  matcher: Matcher | null;
  /** The match that is looked at. */
  current: number | null;
  /** What is said above the oldest line. */
  head: ReactNode;
  /** What is said where there is no line. */
  empty: ReactNode;
  label: string;
  ref?: Ref<LogListHandle>;
}

export function LogList({ model, prefs, matcher, current, head, empty, label, ref }: LogListProps) {
  const { t } = useTranslation();
  useSyncExternalStore(model.subscribe, model.getDrawn);
  const scroller = useRef<HTMLElement>(null);
  const size = useSize(scroller);
  const [top, setTop] = useState(0);
  const { isWrapped, hasNumbers, stamps } = prefs;
  const hasStamps = stamps !== 'off' && model.ring.size > 0 && model.ring.hasStamps;
  const numberColumns = hasNumbers ? Math.max(4, String(model.ring.lastNumber).length) : 0;
  const stampColumns = hasStamps ? STAMP_COLUMNS[stamps] : 0;
  const gutter = 26 + (numberColumns > 0 ? 8 : 0);
  const columns = Math.max(
    20,
    Math.floor((size.width - gutter) / size.character) - numberColumns - stampColumns,
  );
  const look = useMemo<RowLook>(
    () => ({ isWrapped, columns, numberColumns, stampColumns }),
    [isWrapped, columns, numberColumns, stampColumns],
  );
  useLayoutEffect(
    () => model.setColumns(isWrapped && size.width > 0 ? columns : null),
    [model, isWrapped, columns, size.width],
  );

  const { firstRow, endRow, base, isFollowing, epoch } = model;
  const above = (model.offset(firstRow) - base) * ROW;
  const height = HEAD + (model.offset(endRow) - base) * ROW + (endRow > firstRow ? 8 : 0);
  const seenTop = isFollowing ? Math.max(0, height - size.height) : top;
  const from = Math.max(firstRow, model.rowAt(base + (seenTop - HEAD) / ROW) - OVERSCAN);
  const to = Math.min(endRow, model.rowAt(base + (seenTop - HEAD + size.height) / ROW) + 1 + OVERSCAN);

  // What is at the top of the sight, to be brought back there when everything is arranged anew.
  const anchor = useRef({ place: 0, delta: 0, epoch });
  const wrote = useRef(0);
  const note = useCallback(
    (scrollTop: number) => {
      const row = model.rowAt(model.base + (scrollTop - HEAD) / ROW);
      const place = model.placeOf(row);
      const delta = scrollTop - HEAD - (model.offset(row) - model.base) * ROW;
      anchor.current = { place, delta, epoch: model.epoch };
      model.lookAt(place);
    },
    [model],
  );

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    if (model.isFollowing) {
      element.scrollTop = element.scrollHeight;
      wrote.current = element.scrollTop;
    } else if (anchor.current.epoch !== epoch) {
      const { place, delta } = anchor.current;
      element.scrollTop = HEAD + (model.offset(model.rowOf(place)) - model.base) * ROW + delta;
      wrote.current = element.scrollTop;
      anchor.current.epoch = epoch;
      setTop(element.scrollTop);
    }
  });

  const scrolled = () => {
    const element = scroller.current;
    if (!element) return;
    const { scrollTop } = element;
    const isAtEnd = element.scrollHeight - element.clientHeight - scrollTop < 4;
    if (model.isFollowing) {
      if (scrollTop >= wrote.current - 0.5 || isAtEnd) return;
      note(scrollTop);
      model.follow(false);
    } else if (isAtEnd && scrollTop > wrote.current && !model.isHolding) {
      model.follow(true);
    } else note(scrollTop);
    wrote.current = scrollTop;
    setTop(scrollTop);
  };

  const pause = useCallback(() => {
    const element = scroller.current;
    if (!element || !model.isFollowing) return;
    note(element.scrollTop);
    setTop(element.scrollTop);
    wrote.current = element.scrollTop;
    model.follow(false);
  }, [model, note]);

  useImperativeHandle(ref, () => ({
    show(place) {
      const element = scroller.current;
      if (!element) return;
      pause();
      const row = model.rowOf(place);
      const y = HEAD + (model.offset(row) - model.base) * ROW;
      if (y < element.scrollTop + ROW || y > element.scrollTop + element.clientHeight - 2 * ROW)
        element.scrollTop = Math.max(0, y - element.clientHeight / 2);
      wrote.current = Number.POSITIVE_INFINITY;
      note(element.scrollTop);
      setTop(element.scrollTop);
    },
    toStart() {
      pause();
      if (scroller.current) scroller.current.scrollTop = Math.max(0, above);
    },
    focus: () => scroller.current?.focus({ preventScroll: true }),
  }));

  // Whoever selects text reads it.
  useEffect(() => {
    const selected = () => {
      const selection = document.getSelection();
      if (selection && !selection.isCollapsed && scroller.current?.contains(selection.anchorNode)) pause();
    };
    document.addEventListener('selectionchange', selected);
    return () => document.removeEventListener('selectionchange', selected);
  }, [pause]);

  const start = model.ring.oldestStamp;
  const rows: ReactNode[] = [];
  for (let row = from; row < to; row += 1) {
    const place = model.placeOf(row);
    const mark = model.ring.kindAt(place) === MARK ? model.ring.markAt(place) : undefined;
    rows.push(
      mark ? (
        <MarkRow key={row % SLOTS} mark={mark} />
      ) : (
        <LogRow
          key={row % SLOTS}
          text={model.ring.textAt(place)}
          level={model.ring.levelAt(place)}
          number={hasNumbers ? model.ring.numberAt(place) : 0}
          stamp={hasStamps ? stampText(model.ring.stampAt(place), stamps, start) : ''}
          look={look}
          rows={model.offset(row + 1) - model.offset(row)}
          matcher={matcher}
          isCurrent={place === current}
        />
      ),
    );
  }
  return (
    <section
      ref={scroller}
      role="log"
      aria-live="off"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      onScroll={scrolled}
      onWheel={({ deltaY }) => deltaY < 0 && height > size.height && pause()}
      onKeyDown={({ key }) => (key === 'PageUp' || key === 'ArrowUp') && height > size.height && pause()}
      onCopy={(event) => {
        const text = selectedLines(event.currentTarget);
        if (text === null) return;
        event.clipboardData.setData('text/plain', text);
        event.preventDefault();
      }}
      className="relative min-h-0 flex-1 overflow-auto overscroll-contain bg-sunken font-mono text-xs leading-5 outline-offset-[-2px] [font-variant-ligatures:none] [overflow-anchor:none]"
    >
      {endRow === firstRow ? (
        <div className="sticky left-0 flex h-full min-h-40 flex-col items-center justify-center p-6 text-center font-sans text-muted text-sm">
          {empty}
        </div>
      ) : (
        <div className="relative min-w-full" style={{ height }}>
          <div
            className="sticky left-0 flex w-fit max-w-full items-center gap-2 overflow-hidden px-3 font-sans text-muted"
            style={{ height: HEAD, transform: `translateY(${above}px)` }}
          >
            {head}
          </div>
          <div
            className="absolute top-0 left-0 w-max min-w-full"
            style={{ transform: `translateY(${HEAD + (model.offset(from) - base) * ROW}px)` }}
          >
            {rows}
          </div>
        </div>
      )}
      <span className="sr-only">{isFollowing ? t('logs.following') : t('logs.paused')}</span>
    </section>
  );
}

/** What is selected, line by line, without numbers and times. */
function selectedLines(list: HTMLElement): string | null {
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || selection.rangeCount === 0) return null;
  const range = selection.getRangeAt(0);
  const lines: string[] = [];
  for (const line of list.querySelectorAll('[data-line]')) {
    if (!range.intersectsNode(line)) continue;
    const part = document.createRange();
    part.selectNodeContents(line);
    if (line.contains(range.startContainer)) part.setStart(range.startContainer, range.startOffset);
    if (line.contains(range.endContainer)) part.setEnd(range.endContainer, range.endOffset);
    lines.push(part.toString());
  }
  return lines.length > 0 ? lines.join('\n') : null;
}
