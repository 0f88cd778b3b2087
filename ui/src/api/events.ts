/**
 * The one event stream of this page. Events are hints: they say what changed, and the cache asks for
 * it again. Only the progress of a benchmark is taken from the event itself.
 */
import { type Query, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useRef, useState } from 'react';
import { useIsSeen } from '@/lib/seen';
import { throttle } from '@/lib/throttle';
import { keys } from './keys';

/** An event as the service writes it. */
export interface ServerEvent {
  type: string;
  task_id?: number;
  /** Counted inside the task. */
  experiment_id?: number;
  timestamp: number;
  message?: string;
  data?: Record<string, unknown>;
}

/** How far a benchmark is; rates and times are of the level that runs. */
export interface LiveProgress {
  status: string;
  level?: number;
  levels?: number;
  label?: string;
  completed?: number;
  failed?: number;
  planned?: number;
  in_flight?: number;
  errors?: Record<string, number>;
  ttft?: number | null;
  ttft_p50?: number | null;
  ttft_p99?: number | null;
  tpot?: number | null;
  output_throughput?: number | null;
  at: number;
}

export type Connection = 'connecting' | 'live' | 'lost';

/** What the page knows of the service it talks to. */
export interface ConnectionState {
  connection: Connection;
  /** The service's version when this page was loaded, and now, where they differ. */
  newVersion: string | null;
}

export const ConnectionContext = createContext<ConnectionState>({
  connection: 'connecting',
  newVersion: null,
});

/** The connection of this page. */
export function useConnection(): ConnectionState {
  return useContext(ConnectionContext);
}

type Listener = (event: ServerEvent) => void;
const listeners = new Set<Listener>();

/** Hears every event for as long as the component is shown. */
export function useServerEvents(listener: Listener): void {
  useEffect(() => {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }, [listener]);
}

/** Shortest time between two rounds of asking again. */
const PAUSE = 400;

/** Longest that one round is waited for before the next. */
const PATIENCE = 10_000;

/** First words of keys that an event makes old. */
export function staleBy(event: ServerEvent): { keys: string[]; task?: number } {
  const { type, task_id } = event;
  if (type === 'benchmark_progress' || type === 'hello') return { keys: [] };
  if (type.startsWith('container_') || type.startsWith('docker_'))
    return { keys: ['containers', 'container', 'docker'] };
  if (type.startsWith('experiment_'))
    return { keys: ['tasks', 'experiments', 'experiment', 'dashboard', 'pods', 'pod'], task: task_id };
  if (type.startsWith('task_')) return { keys: ['tasks', 'experiments', 'dashboard'], task: task_id };
  return { keys: [], task: task_id };
}

/** Gathers what is to be asked again, and asks a few times a second at most. */
class Stale {
  private readonly words = new Set<string>();
  private readonly tasks = new Set<number>();
  private readonly flush: ReturnType<typeof throttle>;
  private isAsking = false;

  constructor(private readonly client: QueryClient) {
    this.flush = throttle(() => void this.ask(), PAUSE);
  }

  note(event: ServerEvent): void {
    const { keys, task } = staleBy(event);
    for (const word of keys) this.words.add(word);
    if (task !== undefined) this.tasks.add(task);
    if (this.words.size > 0 || this.tasks.size > 0) this.flush();
  }

  close(): void {
    this.flush.cancel();
  }

  private async ask(): Promise<void> {
    // A round gives up what the one before still waits for: in a storm no answer would ever come.
    if (this.isAsking) return;
    const [words, tasks] = [new Set(this.words), new Set(this.tasks)];
    this.words.clear();
    this.tasks.clear();
    const predicate = ({ queryKey: [word, id] }: Query) =>
      words.has(String(word)) || (word === 'task' && typeof id === 'number' && tasks.has(id));
    // What is on its way for the first time may be older than the event, and is not asked for anew.
    const early = this.client
      .getQueryCache()
      .findAll({ predicate, fetchStatus: 'fetching' })
      .filter(({ state }) => state.data === undefined);
    this.isAsking = true;
    const late = new Promise((done) => setTimeout(done, PATIENCE));
    await Promise.race([this.client.invalidateQueries({ predicate }), late]);
    this.isAsking = false;
    for (const { queryKey } of early) void this.client.invalidateQueries({ queryKey, exact: true });
    if (this.words.size > 0 || this.tasks.size > 0) this.flush();
  }
}

function keepProgress(client: QueryClient, event: ServerEvent): void {
  const { task_id, experiment_id, data } = event;
  if (task_id === undefined || experiment_id === undefined) return;
  const key = keys.live(task_id, experiment_id);
  if (data && (event.type === 'benchmark_progress' || event.type === 'experiment_progress')) {
    client.setQueryData<LiveProgress>(key, {
      ...(data as unknown as LiveProgress),
      at: event.timestamp * 1000,
    });
  } else if (event.type === 'experiment_completed' || event.type === 'experiment_failed') {
    client.removeQueries({ queryKey: key });
  }
}

/** Holds the stream while somebody is logged in and the page is seen; tells how it stands. */
export function useEventStream(isOpen: boolean): ConnectionState {
  const client = useQueryClient();
  const [state, setState] = useState<ConnectionState>({ connection: 'connecting', newVersion: null });
  const [attempt, setAttempt] = useState(0);
  const isSeen = useIsSeen();
  // What the service said of itself last, whichever stream said it.
  const known = useRef<{ version: string; boot: string }>(undefined);
  useEffect(() => {
    if (!isOpen || !isSeen || attempt < 0) return;
    const stale = new Stale(client);
    let isNew = true;
    let again: ReturnType<typeof setTimeout> | undefined;
    const source = new EventSource('api/events');
    const hello = (data: Record<string, unknown>) => {
      const now = String(data.version ?? '');
      const boot = String(data.boot ?? '');
      const version = known.current?.version ?? now;
      // Another start of the service, or another stream, knows nothing of what this page missed.
      if (known.current && (isNew || known.current.boot !== boot)) void client.invalidateQueries();
      known.current = { version, boot };
      isNew = false;
      setState({ connection: 'live', newVersion: now === version ? null : now });
    };
    source.onmessage = ({ data }) => {
      const event = JSON.parse(data) as ServerEvent;
      if (event.type === 'hello') hello(event.data ?? {});
      else if (event.type === 'resync') void client.invalidateQueries();
      keepProgress(client, event);
      stale.note(event);
      for (const listener of listeners) listener(event);
    };
    source.onerror = () => {
      setState((before) => ({ ...before, connection: 'lost' }));
      // A refusal closes the stream for good: who asks then learns that the session has ended.
      if (source.readyState === EventSource.CLOSED) {
        void client.invalidateQueries({ queryKey: keys.me });
        again = setTimeout(() => setAttempt((count) => count + 1), 3_000);
      }
    };
    return () => {
      clearTimeout(again);
      source.close();
      stale.close();
    };
  }, [client, isOpen, isSeen, attempt]);
  return state;
}
