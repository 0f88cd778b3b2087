/** What a container uses, as it goes: the last minutes first, then live. */
import { useEffect, useState } from 'react';
import { useIsSeen } from '@/lib/seen';
import { ApiError } from './client';
import { type ContainerStats, containerHistory } from './queries/containers';
import { readEvents } from './sse';

/** As much as the service keeps. */
const MOST = 300;

export interface LiveStats {
  samples: readonly ContainerStats[];
  /** Why there are none any more. */
  error: unknown;
  hasEnded: boolean;
}

const NONE: LiveStats = { samples: [], error: null, hasEnded: false };

/** Two samples of the same moment are one. */
export function joined(
  before: readonly ContainerStats[],
  more: readonly ContainerStats[],
): readonly ContainerStats[] {
  const last = before.at(-1)?.sampled_at ?? '';
  const fresh = more.filter(({ sampled_at }) => sampled_at > last);
  return fresh.length === 0 ? before : [...before, ...fresh].slice(-MOST);
}

/** Looks for as long as it is shown; comes back by itself when the service was away. */
export function useContainerStats(id: string): LiveStats {
  const [stats, setStats] = useState(NONE);
  const isSeen = useIsSeen();
  useEffect(() => {
    if (!isSeen) return;
    const own = new AbortController();
    const { signal } = own;
    const add = (more: readonly ContainerStats[]) =>
      setStats((before) => ({ samples: joined(before.samples, more), error: null, hasEnded: false }));
    const follow = async () => {
      setStats(NONE);
      for (let pause = 1_000; !signal.aborted; pause = Math.min(pause * 2, 10_000)) {
        let hasEnded = false;
        try {
          add(await containerHistory(id, signal));
          await readEvents(
            `api/docker/containers/${encodeURIComponent(id)}/stats/stream`,
            { signal },
            (event) => {
              pause = 1_000;
              if (event.type === 'message') add([JSON.parse(event.data) as ContainerStats]);
              else if (event.type === 'ended') hasEnded = true;
              else if (event.type === 'failed') {
                const { detail, code } = JSON.parse(event.data) as { detail: string; code: string };
                setStats((before) => ({ ...before, error: new ApiError(503, code, detail) }));
              }
            },
          );
        } catch (error) {
          if (signal.aborted) return;
          setStats((before) => ({ ...before, error }));
          // What is refused is refused again; who comes too often may come back.
          if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429)
            return;
        }
        if (hasEnded) return setStats((before) => ({ ...before, hasEnded: true }));
        await new Promise((resume) => setTimeout(resume, pause));
      }
    };
    void follow();
    return () => own.abort();
  }, [id, isSeen]);
  return stats;
}
