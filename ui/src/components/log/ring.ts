/**
 * The latest lines of a log. Every entry has a place that it keeps for as long as it is here; the
 * oldest leave when there is no room. Nothing is copied when lines come.
 */
import type { LogItem, LogMark } from '@/api/logs';
import { isContinued, levelOf, NONE } from './levels';
import { plainText } from './text';

export const UNKNOWN_STREAM = 0;
export const OUTPUT = 1;
export const ERRORS = 2;
export const MARK = 3;

/** A level that has not been looked for. */
const UNSEEN = 255;

/** How far back the line is looked for that a continued one belongs to. */
const FAR = 64;

export class LogRing {
  /** Place of the oldest entry. */
  first = 0;
  /** Place after the latest. */
  end = 0;
  /** Lines that have left for want of room. */
  dropped = 0;
  private readonly texts: string[];
  private readonly stamps: string[];
  private readonly kinds: Uint8Array;
  private readonly levels: Uint8Array;
  private readonly numbers: Int32Array;
  private readonly marks = new Map<number, LogMark>();
  private nextNumber = 1;
  /** Of the oldest line that ever was here; it sinks when older ones are put before it. */
  private firstNumber = 1;

  constructor(readonly capacity: number) {
    this.texts = new Array<string>(capacity).fill('');
    this.stamps = new Array<string>(capacity).fill('');
    this.kinds = new Uint8Array(capacity);
    this.levels = new Uint8Array(capacity);
    this.numbers = new Int32Array(capacity);
  }

  get size(): number {
    return this.end - this.first;
  }

  /** Lines that are here, without marks. */
  get lines(): number {
    return this.size - this.marks.size;
  }

  /** The number of a line, counted from the oldest that ever was here. */
  numberAt(place: number): number {
    return (this.numbers[this.slot(place)] ?? 0) - this.firstNumber + 1;
  }

  /** The number of the latest line. */
  get lastNumber(): number {
    return this.nextNumber - this.firstNumber;
  }

  /** Whether it is known when lines were printed. */
  get hasStamps(): boolean {
    for (let place = this.end - 1; place >= this.first; place -= 1)
      if (this.kindAt(place) !== MARK) return this.stampAt(place) !== '';
    return false;
  }

  /** When the oldest line that is here was printed; empty where that is not known. */
  get oldestStamp(): string {
    for (let place = this.first; place < this.end; place += 1)
      if (this.kindAt(place) !== MARK) return this.stampAt(place);
    return '';
  }

  private slot(place: number): number {
    const slot = place % this.capacity;
    return slot < 0 ? slot + this.capacity : slot;
  }

  private set(place: number, item: LogItem): void {
    const slot = this.slot(place);
    const isBare = typeof item === 'string';
    this.texts[slot] = isBare ? item : item.l;
    this.stamps[slot] = isBare ? '' : item.t;
    this.kinds[slot] = isBare ? UNKNOWN_STREAM : item.s === 'e' ? ERRORS : OUTPUT;
    this.levels[slot] = UNSEEN;
  }

  private makeRoom(): void {
    if (this.size < this.capacity) return;
    if (this.kinds[this.slot(this.first)] === MARK) this.marks.delete(this.first);
    else this.dropped += 1;
    this.first += 1;
  }

  push(item: LogItem): void {
    this.makeRoom();
    this.set(this.end, item);
    this.numbers[this.slot(this.end)] = this.nextNumber++;
    this.end += 1;
  }

  /** Says something between lines; saying the same twice running says it once. */
  mark(mark: LogMark): boolean {
    const last = this.marks.get(this.end - 1);
    if (last && JSON.stringify(last) === JSON.stringify(mark)) return false;
    this.makeRoom();
    const slot = this.slot(this.end);
    this.texts[slot] = '';
    this.stamps[slot] = '';
    this.kinds[slot] = MARK;
    this.levels[slot] = NONE;
    this.numbers[slot] = this.nextNumber - 1;
    this.marks.set(this.end, mark);
    this.end += 1;
    return true;
  }

  /** Puts older lines before the oldest, the latest of them where not all have room. How many had. */
  prepend(items: readonly LogItem[]): number {
    const count = Math.min(items.length, this.capacity - this.size);
    let number = this.size > 0 ? (this.numbers[this.slot(this.first)] ?? 1) : this.nextNumber;
    if (this.kinds[this.slot(this.first)] === MARK && this.size > 0) number += 1;
    for (let index = 0; index < count; index += 1) {
      const item = items[items.length - 1 - index];
      if (item === undefined) continue;
      this.first -= 1;
      number -= 1;
      this.set(this.first, item);
      this.numbers[this.slot(this.first)] = number;
    }
    this.firstNumber = Math.min(this.firstNumber, number);
    return count;
  }

  /** Forgets what is here; what comes has places of its own. */
  clear(): void {
    this.first = this.end;
    this.marks.clear();
    this.dropped = 0;
  }

  textAt(place: number): string {
    return this.texts[this.slot(place)] ?? '';
  }

  /** When it was printed, as the service writes it; empty where that is not known. */
  stampAt(place: number): string {
    return this.stamps[this.slot(place)] ?? '';
  }

  kindAt(place: number): number {
    return this.kinds[this.slot(place)] ?? UNKNOWN_STREAM;
  }

  markAt(place: number): LogMark | undefined {
    return this.marks.get(place);
  }

  /** How grave it is; a line that continues another is as grave as that. */
  levelAt(place: number): number {
    const known = this.levels[this.slot(place)] ?? UNSEEN;
    if (known !== UNSEEN) return known;
    let at = place;
    let level = NONE;
    for (; at >= this.first && at > place - FAR; at -= 1) {
      const seen = this.levels[this.slot(at)] ?? UNSEEN;
      if (seen !== UNSEEN) {
        level = seen;
        break;
      }
      const text = plainText(this.textAt(at));
      level = levelOf(text);
      if (level !== NONE || !isContinued(text)) {
        this.levels[this.slot(at)] = level;
        break;
      }
    }
    for (let next = Math.max(at, this.first); next <= place; next += 1) this.levels[this.slot(next)] = level;
    return level;
  }
}
