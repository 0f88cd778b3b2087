/**
 * Server-sent events over `fetch`. Unlike the browser's EventSource it says why it was refused, reads
 * no faster than its reader, and can be the answer to any method.
 */
import { ApiError, errorOf } from './client';

export interface SseEvent {
  /** `message` where it has no name. */
  type: string;
  data: string;
  /** The last id that was given, by this event or one before it. */
  id: string;
}

/** How long the beginning of an answer may take. */
const DEADLINE = 30_000;

/** How long a stream may be silent. The service says that it is there every 15 seconds. */
const SILENCE = 35_000;

/** Makes events of text as it comes, cut wherever. */
export class SseParser {
  private rest: string[] = [];
  private type = '';
  private data: string[] = [];
  private id: string;

  constructor(lastId = '') {
    this.id = lastId;
  }

  /** Takes what came, and gives the events that are whole. */
  push(text: string, take: (event: SseEvent) => void): void {
    let at = 0;
    for (;;) {
      const end = text.indexOf('\n', at);
      if (end < 0) break;
      let line = text.slice(at, end);
      if (this.rest.length > 0) {
        this.rest.push(line);
        line = this.rest.join('');
        this.rest = [];
      }
      at = end + 1;
      this.line(line.endsWith('\r') ? line.slice(0, -1) : line, take);
    }
    if (at < text.length) this.rest.push(text.slice(at));
  }

  private line(line: string, take: (event: SseEvent) => void): void {
    if (line === '') {
      if (this.data.length > 0)
        take({ type: this.type || 'message', data: this.data.join('\n'), id: this.id });
      this.type = '';
      this.data = [];
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.type = value;
    else if (name === 'id') this.id = value;
  }
}

export interface StreamOptions {
  signal: AbortSignal;
  method?: 'GET' | 'POST';
  body?: unknown;
  lastId?: string;
  /** Waited for before more is read: what is not read is not sent. */
  room?: () => Promise<void> | undefined;
  onOpen?: () => void;
}

/**
 * Reads a stream to its end. What kept it from beginning, or broke it off, is an {@link ApiError};
 * an aborted signal is its reason. Gives `false` where the service says that nothing will come (204).
 */
export async function readEvents(
  url: string,
  options: StreamOptions,
  take: (event: SseEvent) => void,
): Promise<boolean> {
  const { signal, method = 'GET', body, lastId, room, onOpen } = options;
  const late = new AbortController();
  const either = AbortSignal.any([signal, late.signal]);
  let watch = setTimeout(() => late.abort(), DEADLINE);
  try {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    if (lastId) headers['Last-Event-ID'] = lastId;
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const text = body === undefined ? null : JSON.stringify(body);
    const response = await fetch(url, { method, headers, body: text, signal: either, cache: 'no-store' });
    if (!response.ok) throw await errorOf(response);
    if (response.status === 204) return false;
    onOpen?.();
    const parser = new SseParser(lastId);
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    while (reader) {
      const wait = room?.();
      if (wait) {
        clearTimeout(watch);
        await wait;
      }
      clearTimeout(watch);
      watch = setTimeout(() => late.abort(), SILENCE);
      const { done, value } = await reader.read();
      if (done) break;
      parser.push(decoder.decode(value, { stream: true }), take);
    }
    return true;
  } catch (error) {
    if (signal.aborted || error instanceof ApiError) throw error;
    throw new ApiError(0, 'unreachable', 'The service does not answer');
  } finally {
    clearTimeout(watch);
  }
}
