/**
 * Follows a log without losing a line or giving one twice: every batch has an id that says where in
 * the log it stands, and whoever comes back with it gets what follows, from any start of the service.
 */

import { HIDDEN } from '@/lib/seen';
import { ApiError, ask } from './client';
import type { LogEntry, LogItem, LogMark, LogSource } from './logs';
import { readEvents, type SseEvent } from './sse';

export type LogState = 'connecting' | 'live' | 'reconnecting' | 'ended' | 'failed' | 'stopped';

export interface LogHandlers {
  onLines(items: readonly LogItem[]): void;
  onMark(mark: LogMark): void;
  onState(state: LogState, error: unknown): void;
  /** Waited for before more is read. */
  room(): Promise<void> | undefined;
}

/** Pauses between attempts, in milliseconds. */
const FIRST_PAUSE = 400;
const LONGEST_PAUSE = 8_000;

/** How long lines are taken without letting the page draw. */
const SLICE = 10;

/** Lines of a log that has been kept, where there is nothing to follow. */
const KEPT_LINES = 50_000;

/** What the service says of a task's log in place of a line. */
const TRUNCATED = '[Log file was truncated]';
const GONE = 'gone';

/** What a part of a log is. */
export interface LogPart {
  items: LogItem[];
  matching: number;
  lookedAt: number;
  isCut: boolean;
  isPreserved: boolean;
}

interface PartBody {
  logs: string;
  entries?: LogEntry[] | null;
  matching?: number;
  looked_at?: number;
  is_cut?: boolean;
  is_preserved?: boolean;
}

/** Reads a part of a log: the last `tail` lines, those until a time, those that match. */
export async function readLog(
  source: LogSource,
  query: { tail: number; until?: string; search?: string },
  signal?: AbortSignal,
): Promise<LogPart> {
  const url = new URL(source.readUrl ?? '', document.baseURI);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  const response = await ask(url.href, signal ? { signal } : {}, 60_000);
  const body = (await response.json()) as PartBody;
  const lines = body.logs.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const items = body.entries ?? lines;
  return {
    items,
    matching: body.matching ?? items.length,
    lookedAt: body.looked_at ?? items.length,
    isCut: body.is_cut ?? false,
    isPreserved: body.is_preserved ?? false,
  };
}

export class LogStream {
  private lastId = '';
  private run: AbortController | undefined;
  private hidden: ReturnType<typeof setTimeout> | undefined;
  private isAway = false;
  private sliceEnd = 0;

  constructor(
    private readonly source: LogSource,
    private readonly handlers: LogHandlers,
  ) {}

  /** Begins, or goes on where it was. */
  start(): void {
    if (this.run) return;
    document.addEventListener('visibilitychange', this.onVisibility);
    this.begin(this.lastId === '' ? 'connecting' : 'reconnecting');
    // A page that was opened behind another is hidden from its beginning.
    if (document.hidden) this.onVisibility();
  }

  /** Hangs up; a later start goes on from here. */
  stop(): void {
    this.close();
    this.handlers.onState('stopped', null);
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.onVisibility);
    clearTimeout(this.hidden);
    this.isAway = false;
    this.run?.abort();
    this.run = undefined;
  }

  private begin(state: LogState): void {
    const run = new AbortController();
    this.run = run;
    this.handlers.onState(state, null);
    void this.follow(run.signal);
  }

  private readonly onVisibility = () => {
    clearTimeout(this.hidden);
    if (document.hidden) {
      this.hidden = setTimeout(() => {
        this.isAway = true;
        this.run?.abort();
      }, HIDDEN);
    } else if (this.isAway) {
      this.isAway = false;
      this.begin('reconnecting');
    }
  };

  private async follow(signal: AbortSignal): Promise<void> {
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      let isEnd = false;
      try {
        const goesOn = await readEvents(
          this.source.followUrl,
          {
            signal,
            lastId: this.lastId,
            room: () => this.room(),
            onOpen: () => {
              this.sliceEnd = performance.now() + SLICE;
              this.handlers.onState('live', null);
            },
          },
          (event) => {
            if (signal.aborted) return;
            pause = FIRST_PAUSE;
            isEnd = this.take(event) || isEnd;
          },
        );
        if (signal.aborted) return;
        if (!goesOn || isEnd) return this.finish('ended', null);
      } catch (error) {
        if (signal.aborted) return;
        if (isFinal(error)) return this.refused(error, signal);
        this.handlers.onState('reconnecting', error);
      }
      await sleep(pause, signal);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
      if (!signal.aborted) this.handlers.onState('reconnecting', null);
    }
  }

  /** A container that is gone may have left its log behind. */
  private async refused(error: unknown, signal: AbortSignal): Promise<void> {
    const isGone = error instanceof ApiError && error.status === 404 && this.source.readUrl !== undefined;
    if (!isGone || this.lastId !== '') return this.finish(this.lastId === '' ? 'failed' : 'ended', error);
    try {
      const { items } = await readLog(this.source, { tail: KEPT_LINES }, signal);
      if (signal.aborted) return;
      this.handlers.onLines(items);
      this.finish('ended', null);
    } catch (second) {
      if (!signal.aborted) this.finish('failed', second);
    }
  }

  private finish(state: LogState, error: unknown): void {
    this.close();
    this.handlers.onState(state, error);
  }

  /** Room to take more: not while the reader needs what would be dropped, nor before the page could draw. */
  private room(): Promise<void> | undefined {
    const wait = this.handlers.room();
    if (wait) return wait;
    if (performance.now() < this.sliceEnd) return undefined;
    return new Promise((resume) =>
      setTimeout(() => {
        this.sliceEnd = performance.now() + SLICE;
        resume();
      }),
    );
  }

  /** Whether it says that nothing more will come. */
  private take({ type, data, id }: SseEvent): boolean {
    // Only what the event came with tells where the log stands; ids are remembered for the return.
    const isPlaced = id !== this.lastId;
    this.lastId = id;
    switch (type) {
      case 'message': {
        const lines = JSON.parse(data) as string[];
        const only = lines.length === 1 ? lines[0] : undefined;
        if (only === TRUNCATED) this.handlers.onMark({ kind: 'truncated' });
        else if (only !== undefined && (!isPlaced || id === GONE))
          this.handlers.onMark({ kind: 'notice', text: only.replace(/^\[(.*)\]$/, '$1') });
        else this.handlers.onLines(lines);
        return false;
      }
      case 'log':
        this.handlers.onLines(JSON.parse(data) as LogEntry[]);
        return false;
      case 'gap':
        this.handlers.onMark({
          kind: 'gap',
          reason: String((JSON.parse(data) as { reason: string }).reason),
        });
        return false;
      case 'life': {
        const mark = markOfLife(JSON.parse(data) as Record<string, unknown>);
        if (mark)
          this.handlers.onMark(this.source.isPod && mark.kind === 'removed' ? { kind: 'podRemoved' } : mark);
        return false;
      }
      default:
        return type === 'end';
    }
  }
}

/** What became of a container, or of its daemon. */
export function markOfLife(life: Record<string, unknown>): LogMark | undefined {
  switch (life.life) {
    case 'started':
      return { kind: 'started' };
    case 'stopped':
      return {
        kind: 'stopped',
        exitCode: typeof life.exit_code === 'number' ? life.exit_code : null,
        isOutOfMemory: life.out_of_memory === true,
      };
    case 'removed':
      return { kind: 'removed' };
    case 'daemon_away':
      return { kind: 'daemonAway', reason: String(life.reason ?? '') };
    case 'daemon_back':
      return { kind: 'daemonBack' };
    default:
      return undefined;
  }
}

/** Whether asking again would be answered the same. */
function isFinal(error: unknown): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resume) => {
    const timer = setTimeout(resume, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resume();
    });
  });
}
