import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, renderHook, waitFor } from '@testing-library/react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ServerEvent, staleBy, useEventStream, useServerEvents } from './events';
import { keys } from './keys';

const event = (type: string, more: Partial<ServerEvent> = {}): ServerEvent => ({
  type,
  timestamp: 1,
  ...more,
});

describe('staleBy', () => {
  it('asks again for what an event may have changed', () => {
    expect(staleBy(event('task_created', { task_id: 3 }))).toEqual({
      keys: ['tasks', 'experiments', 'dashboard'],
      task: 3,
    });
    expect(staleBy(event('experiment_completed', { task_id: 3, experiment_id: 1 }))).toEqual({
      keys: ['tasks', 'experiments', 'experiment', 'dashboard', 'pods', 'pod'],
      task: 3,
    });
    expect(staleBy(event('container_changed')).keys).toEqual(['containers', 'container', 'docker']);
    expect(staleBy(event('docker_changed')).keys).toContain('docker');
    expect(staleBy(event('warning', { task_id: 3 }))).toEqual({ keys: [], task: 3 });
  });

  it('asks for nothing where the event says it all', () => {
    expect(staleBy(event('benchmark_progress', { task_id: 3, experiment_id: 1 }))).toEqual({ keys: [] });
    expect(staleBy(event('hello')).keys).toEqual([]);
  });
});

class FakeSource {
  static readonly CLOSED = 2;
  static all: FakeSource[] = [];
  onmessage: ((message: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 1;
  isClosed = false;

  constructor(readonly url: string) {
    FakeSource.all.push(this);
  }

  close() {
    this.isClosed = true;
  }

  say(event: ServerEvent) {
    act(() => this.onmessage?.({ data: JSON.stringify(event) }));
  }
}

describe('useEventStream', () => {
  let client: QueryClient;
  const heard: ServerEvent[] = [];
  const stream = (isOpen = true) =>
    renderHook(
      ({ isOpen }) => {
        useServerEvents((event) => heard.push(event));
        return useEventStream(isOpen);
      },
      {
        initialProps: { isOpen },
        wrapper: ({ children }: { children: ReactNode }) => (
          <QueryClientProvider client={client}>{children}</QueryClientProvider>
        ),
      },
    );
  const source = () => FakeSource.all.at(-1) as FakeSource;
  const hello = (boot: string, version = '1.0') => event('hello', { data: { boot, version } });

  beforeEach(() => {
    client = new QueryClient();
    FakeSource.all = [];
    heard.length = 0;
    vi.stubGlobal('EventSource', FakeSource);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  it('waits until somebody is logged in, and ends when nobody is', () => {
    const { rerender, result } = stream(false);
    expect(FakeSource.all).toHaveLength(0);
    rerender({ isOpen: true });
    expect(source().url).toBe('api/events');
    source().say(hello('a'));
    expect(result.current).toEqual({ connection: 'live', newVersion: null });
    rerender({ isOpen: false });
    expect(source().isClosed).toBe(true);
  });

  it('says when another version answers, and asks for everything after another start', () => {
    const invalidate = vi.spyOn(client, 'invalidateQueries');
    const { result } = stream();
    source().say(hello('a'));
    expect(invalidate).not.toHaveBeenCalled();
    source().say(hello('b', '1.1'));
    expect(invalidate).toHaveBeenCalledWith();
    expect(result.current.newVersion).toBe('1.1');
  });

  it('asks for everything when it missed something', () => {
    const invalidate = vi.spyOn(client, 'invalidateQueries');
    stream();
    source().say(event('resync'));
    expect(invalidate).toHaveBeenCalledWith();
  });

  it('asks again only for what changed, and not more often than a few times a second', async () => {
    const fresh = { staleTime: Number.POSITIVE_INFINITY };
    for (const key of [keys.tasks(), keys.task(3), keys.task(4), keys.containers(), keys.dashboard('x')])
      client.setQueryData(key, 1, fresh as never);
    stream();
    for (let count = 0; count < 20; count += 1) source().say(event('task_progress', { task_id: 3 }));
    const isOld = (key: readonly unknown[]) => client.getQueryState(key)?.isInvalidated;
    await waitFor(() => expect(isOld(keys.task(3))).toBe(true));
    expect([isOld(keys.tasks()), isOld(keys.dashboard('x'))]).toEqual([true, true]);
    expect([isOld(keys.task(4)), isOld(keys.containers())]).toEqual([false, false]);
  });

  it('keeps what a benchmark says, until its experiment ends', () => {
    stream();
    const data = { status: 'benchmarking', level: 1, levels: 2, completed: 5, planned: 9, ttft: 0.02 };
    source().say(event('benchmark_progress', { task_id: 3, experiment_id: 7, timestamp: 12.5, data }));
    expect(client.getQueryData(keys.live(3, 7))).toEqual({ ...data, at: 12_500 });
    expect(heard.map(({ type }) => type)).toEqual(['benchmark_progress']);
    source().say(event('experiment_completed', { task_id: 3, experiment_id: 7 }));
    expect(client.getQueryData(keys.live(3, 7))).toBeUndefined();
  });

  it('says that it is lost, and asks who is here before it tries again', () => {
    vi.useFakeTimers();
    const invalidate = vi.spyOn(client, 'invalidateQueries');
    const { result } = stream();
    source().say(hello('a'));
    act(() => source().onerror?.());
    expect(result.current.connection).toBe('lost');
    expect(FakeSource.all).toHaveLength(1);
    // The browser tries again by itself unless the service refused.
    source().readyState = FakeSource.CLOSED;
    act(() => source().onerror?.());
    expect(invalidate).toHaveBeenCalledWith({ queryKey: keys.me });
    act(() => vi.advanceTimersByTime(3_100));
    expect(FakeSource.all).toHaveLength(2);
    expect(FakeSource.all[0]?.isClosed).toBe(true);
  });
});
