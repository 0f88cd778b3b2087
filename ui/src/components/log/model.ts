/**
 * What a viewer of a log shows: which entries of the ring, at which height, and where the matches
 * of a search are. Heights count in rows from a base that stays while somebody reads, so that
 * nothing moves under their eyes when older lines leave.
 */
import type { LogItem, LogMark } from '@/api/logs';
import type { Matcher } from './matcher';
import { Places } from './places';
import { ERRORS, LogRing, MARK, OUTPUT } from './ring';
import { columnsOf, plainText } from './text';

export const CAPACITY = 50_000;

/** How near to the line that is read next to be dropped the stream is kept waiting. */
const MARGIN = 4_000;

export interface Filter {
  /** Lines below it are left out; those without a level count as information. */
  minLevel: number;
  stream: 'both' | 'stdout' | 'stderr';
  /** Only what the search finds. */
  onlyMatches: boolean;
  matcher: Matcher | null;
}

export const ALL: Filter = { minLevel: 0, stream: 'both', onlyMatches: false, matcher: null };

export class LogModel {
  readonly ring: LogRing;
  private drawn = 0;
  /** Counts what has been arranged anew: places and heights before it mean nothing after. */
  epoch = 0;
  isFollowing = true;
  /** Rows above the beginning of what is laid out. */
  base = 0;
  /** Lines that had come when following ended. */
  private seenEnd = 0;
  private filter: Filter = ALL;
  private columns: number | null = null;
  private shown: Places | null = null;
  /** Heights of what is shown added up, where lines are wrapped. */
  private heights: Places | null = null;
  readonly hits = new Places();
  private listeners = new Set<() => void>();
  private frame = 0;
  /** The topmost entry that is seen; none is while the end is followed. */
  topPlace = Number.POSITIVE_INFINITY;
  private waiting: (() => void)[] = [];

  constructor(capacity = CAPACITY) {
    this.ring = new LogRing(capacity);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) {
        cancelAnimationFrame(this.frame);
        this.frame = 0;
      }
    };
  };

  /** Counts what was drawn. */
  readonly getDrawn = (): number => this.drawn;

  push(items: readonly LogItem[]): void {
    for (const item of items) {
      this.ring.push(item);
      this.added(this.ring.end - 1);
    }
    this.trim();
    this.changed();
  }

  mark(mark: LogMark): void {
    if (!this.ring.mark(mark)) return;
    this.added(this.ring.end - 1);
    this.trim();
    this.changed();
  }

  prepend(items: readonly LogItem[]): number {
    const count = this.ring.prepend(items);
    this.arrange();
    return count;
  }

  clear(): void {
    this.ring.clear();
    this.arrange();
    this.seenEnd = this.ring.end;
    this.isFollowing = true;
  }

  /** Shows only these. */
  setFilter(filter: Filter): void {
    this.filter = filter;
    this.arrange();
  }

  /** Wraps lines at so many columns, or not. */
  setColumns(columns: number | null): void {
    if (columns === this.columns) return;
    this.columns = columns;
    this.arrange();
  }

  follow(isFollowing: boolean): void {
    if (isFollowing === this.isFollowing) return;
    this.isFollowing = isFollowing;
    this.seenEnd = this.ring.end;
    this.topPlace = isFollowing ? Number.POSITIVE_INFINITY : this.topPlace;
    this.settle();
    this.changed();
  }

  /** What came since following ended. */
  get unseen(): number {
    return this.isFollowing ? 0 : this.ring.end - Math.max(this.seenEnd, this.ring.first);
  }

  /** Whether the stream waits for the reader. */
  get isHolding(): boolean {
    const { ring } = this;
    return !this.isFollowing && ring.size >= ring.capacity - MARGIN && this.topPlace < ring.first + MARGIN;
  }

  /** Says which entry is the topmost that is seen. */
  lookAt(place: number): void {
    this.topPlace = place;
    this.settle();
  }

  /** Waits until there is room for more without taking away what is read. */
  readonly room = (): Promise<void> | undefined =>
    this.isHolding ? new Promise((resume) => this.waiting.push(resume)) : undefined;

  private settle(): void {
    if (this.isHolding || this.waiting.length === 0) return;
    for (const resume of this.waiting.splice(0)) resume();
  }

  /** Index of the first row; rows are what is shown, one for each entry. */
  get firstRow(): number {
    return this.shown ? this.shown.first : this.ring.first;
  }

  get endRow(): number {
    return this.shown ? this.shown.end : this.ring.end;
  }

  placeOf(row: number): number {
    return this.shown ? (this.shown.at(row) ?? this.ring.end) : row;
  }

  /** The row that shows this entry, or the next one that is shown. */
  rowOf(place: number): number {
    return this.shown ? this.shown.indexOf(place) : Math.max(this.ring.first, Math.min(place, this.ring.end));
  }

  /** Where a row begins, in rows of text. */
  offset(row: number): number {
    if (!this.heights) return row;
    return row <= this.heights.first ? this.dropped : (this.heights.at(row - 1) ?? 0);
  }

  /** The row at a height. */
  rowAt(offset: number): number {
    const row = this.heights ? this.heights.indexOf(Math.floor(offset) + 1) : Math.floor(offset);
    return Math.max(this.firstRow, Math.min(row, this.endRow - 1));
  }

  /** Height of everything before the first row that is here, where lines are wrapped. */
  private dropped = 0;

  private added(place: number): void {
    const { ring, filter } = this;
    let isHit = false;
    if (filter.matcher && ring.kindAt(place) !== MARK) {
      isHit = filter.matcher.test(plainText(ring.textAt(place)));
      if (isHit) this.hits.push(place);
    }
    if (this.shown) {
      if (!this.isShown(place, isHit)) return;
      this.shown.push(place);
    }
    if (this.heights && this.columns) {
      const before = this.heights.length > 0 ? (this.heights.at(this.heights.end - 1) ?? 0) : this.dropped;
      const rows = ring.kindAt(place) === MARK ? 1 : Math.ceil(columnsOf(ring.textAt(place)) / this.columns);
      this.heights.push(before + Math.max(1, rows));
    }
  }

  private isShown(place: number, isHit: boolean): boolean {
    const { ring, filter } = this;
    const kind = ring.kindAt(place);
    if (kind === MARK) return !filter.onlyMatches;
    if (filter.onlyMatches && filter.matcher && !isHit) return false;
    if (filter.stream === 'stderr' && kind !== ERRORS) return false;
    if (filter.stream === 'stdout' && kind !== OUTPUT) return false;
    return filter.minLevel === 0 || (ring.levelAt(place) || 2) >= filter.minLevel;
  }

  private trim(): void {
    const { first } = this.ring;
    this.hits.dropBelow(first);
    this.shown?.dropBelow(first);
    if (this.heights) {
      const gone = this.firstRow - this.heights.first;
      if (gone > 0) {
        this.dropped = this.heights.at(this.firstRow - 1) ?? this.dropped;
        this.heights.drop(gone);
      }
    }
  }

  /** Looks through everything again. */
  private arrange(): void {
    const { filter, ring } = this;
    const isPart =
      filter.minLevel > 0 || filter.stream !== 'both' || (filter.onlyMatches && filter.matcher !== null);
    this.shown = isPart ? new Places() : null;
    this.heights = this.columns ? new Places() : null;
    if (this.heights && !isPart) this.heights.first = ring.first;
    this.dropped = 0;
    this.hits.drop(this.hits.length);
    for (let place = ring.first; place < ring.end; place += 1) this.added(place);
    this.base = this.offset(this.firstRow);
    this.epoch += 1;
    this.changed();
  }

  private changed(): void {
    if (this.frame !== 0 || this.listeners.size === 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.tell();
    });
  }

  /** Draws now. */
  tell(): void {
    if (this.isFollowing) this.base = this.offset(this.firstRow);
    this.drawn += 1;
    for (const listener of this.listeners) listener();
  }

  /** What is shown as text, for the clipboard. */
  text(): string {
    const lines: string[] = [];
    for (let row = this.firstRow; row < this.endRow; row += 1) {
      const place = this.placeOf(row);
      if (this.ring.kindAt(place) !== MARK) lines.push(plainText(this.ring.textAt(place)));
    }
    return lines.join('\n');
  }
}
