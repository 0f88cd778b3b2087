/** Events as they come over a connection that breaks, and the log that is put together from them. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type LogState, LogStream } from './log-stream';
import { containerLog, type LogItem, type LogMark, taskLog } from './logs';
import { type SseEvent, SseParser } from './sse';

function parse(parts: string[]): SseEvent[] {
  const parser = new SseParser();
  const events: SseEvent[] = [];
  for (const part of parts) parser.push(part, (event) => events.push(event));
  return events;
}

describe('events', () => {
  const text =
    ': beat\n\nevent: log\ndata: [1,\ndata: 2]\nid: a\n\nid: b\ndata: x\r\n\r\nevent: life\nid: c\n\ndata:y\n\ndata: cut';
  const expected = [
    { type: 'log', data: '[1,\n2]', id: 'a' },
    { type: 'message', data: 'x', id: 'b' },
    { type: 'message', data: 'y', id: 'c' },
  ];

  it('are read however they are cut', () => {
    expect(parse([text])).toEqual(expected);
    expect(parse([...text])).toEqual(expected);
    for (let cut = 1; cut < text.length; cut += 1)
      expect(parse([text.slice(0, cut), text.slice(cut)])).toEqual(expected);
  });
});

/** A service that has a log, and breaks connections off where it likes. */
class Service {
  asked: (string | null)[] = [];

  constructor(
    private readonly lines: number,
    private readonly cutAfter: () => number,
  ) {}

  readonly fetch = async (_: unknown, init?: RequestInit): Promise<Response> => {
    const after = new Headers(init?.headers).get('Last-Event-ID');
    this.asked.push(after);
    let next = after === null ? 0 : Number(after);
    if (next >= this.lines) return new Response(null, { status: 204 });
    let left = this.cutAfter();
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        const batch: string[] = [];
        while (batch.length < 7 && next < this.lines) batch.push(String(next++));
        const entries = batch.map((l) => ({ t: '2026-11-29T00:00:00Z', s: 'o', l }));
        const bytes = new TextEncoder().encode(
          `event: log\ndata: ${JSON.stringify(entries)}\nid: ${next}\n\n`,
        );
        // A broken connection may end in the middle of an event.
        controller.enqueue(left >= bytes.length ? bytes : bytes.slice(0, left));
        left -= bytes.length;
        if (left <= 0) controller.error(new TypeError('network error'));
        else if (next >= this.lines) controller.close();
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  };
}

function followed(
  source = containerLog('abc', 'abc'),
  room: () => Promise<void> | undefined = () => undefined,
) {
  const [lines, marks, states]: [string[], LogMark[], LogState[]] = [[], [], []];
  let error: unknown = null;
  let end: () => void = () => {};
  const over = new Promise<void>((resume) => {
    end = resume;
  });
  const stream = new LogStream(source, {
    onLines: (items: readonly LogItem[]) =>
      lines.push(...items.map((item) => (typeof item === 'string' ? item : item.l))),
    onMark: (mark) => marks.push(mark),
    onState: (state, problem) => {
      states.push(state);
      error = problem ?? error;
      if (state === 'ended' || state === 'failed') end();
    },
    room,
  });
  return { stream, lines, marks, states, over, error: () => error };
}

const all = (count: number) => Array.from({ length: count }, (_, index) => String(index));

describe('a log that is followed', () => {
  beforeEach(() => {
    vi.useFakeTimers({ shouldAdvanceTime: true, advanceTimeDelta: 200 });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('has every line once, over a hundred connections that break anywhere', async () => {
    let cut = 0;
    const service = new Service(2_000, () => {
      cut += 131;
      return 300 + (cut % 1_700);
    });
    vi.stubGlobal('fetch', service.fetch);
    const log = followed();
    log.stream.start();
    while (log.states.at(-1) !== 'ended') await vi.advanceTimersByTimeAsync(500);
    expect(log.lines).toEqual(all(2_000));
    expect(service.asked.length).toBeGreaterThan(100);
    expect(service.asked[0]).toBeNull();
    expect(log.states.at(-1)).toBe('ended');
  });

  it('goes on where it was stopped', async () => {
    const service = new Service(500, () => Number.POSITIVE_INFINITY);
    vi.stubGlobal('fetch', service.fetch);
    let stops = 0;
    const log = followed(undefined, () => {
      if (log.lines.length > 50 * (stops + 1) && stops < 3) {
        stops += 1;
        log.stream.stop();
        log.stream.start();
      }
      return undefined;
    });
    log.stream.start();
    await log.over;
    expect(log.lines).toEqual(all(500));
    expect([stops, service.asked.length]).toEqual([3, 5]);
  });

  it('reads nothing while there is no room', async () => {
    const service = new Service(200, () => Number.POSITIVE_INFINITY);
    vi.stubGlobal('fetch', service.fetch);
    let open: () => void = () => {};
    let wait: Promise<void> | undefined;
    const log = followed(undefined, () => {
      if (log.lines.length >= 100 && !wait)
        wait = new Promise((resume) => {
          open = resume;
        });
      return log.lines.length >= 100 && log.lines.length < 150 ? wait : undefined;
    });
    log.stream.start();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(log.lines.length).toBeLessThan(150);
    open();
    wait = Promise.resolve();
    await log.over;
    expect(log.lines).toEqual(all(200));
  });

  it('says why it was refused, and does not ask again', async () => {
    const fetch = vi.fn(async () =>
      Response.json({ detail: 'Task 9 not found', code: 'not_found' }, { status: 404 }),
    );
    vi.stubGlobal('fetch', fetch);
    const log = followed(taskLog(9, 'x'));
    log.stream.start();
    await log.over;
    expect(log.states).toEqual(['connecting', 'failed']);
    expect((log.error() as Error).message).toBe('Task 9 not found');
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('shows what was kept of a container that is gone', async () => {
    vi.stubGlobal('fetch', async (url: string) =>
      String(url).includes('follow=true')
        ? Response.json({ detail: 'Container abc not found', code: 'not_found' }, { status: 404 })
        : Response.json({ logs: 'a\nb\n', lines: 2, is_preserved: true }),
    );
    const log = followed();
    log.stream.start();
    await log.over;
    expect([log.lines, log.states.at(-1)]).toEqual([['a', 'b'], 'ended']);
  });

  it('tells notices and lives from lines', async () => {
    const frames = [
      'data: ["Waiting for log file to be created..."]',
      'id: 1\ndata: ["a","b"]',
      'id: 2\ndata: ["[Log file was truncated]"]',
      'id: 3\ndata: ["c"]',
      'event: life\ndata: {"life":"stopped","exit_code":3,"out_of_memory":false}\nid: 3',
      'event: gap\ndata: {"reason":"rotated"}',
      'event: end\ndata: {}',
    ];
    vi.stubGlobal('fetch', async () => new Response(`${frames.join('\n\n')}\n\n`));
    const log = followed();
    log.stream.start();
    await log.over;
    expect(log.lines).toEqual(['a', 'b', 'c']);
    expect(log.marks).toEqual([
      { kind: 'notice', text: 'Waiting for log file to be created...' },
      { kind: 'truncated' },
      { kind: 'stopped', exitCode: 3, isOutOfMemory: false },
      { kind: 'gap', reason: 'rotated' },
    ]);
  });
});
