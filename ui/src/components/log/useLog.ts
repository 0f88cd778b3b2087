/** A log on its way into a model, for as long as it is looked at. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { type LogState, LogStream } from '@/api/log-stream';
import type { LogSource } from '@/api/logs';
import { LogModel } from './model';

export interface OpenLog {
  model: LogModel;
  state: LogState;
  /** What was wrong last, while it is wrong. */
  error: unknown;
  start: () => void;
  stop: () => void;
}

/** Where it stands: what the stream says, and whether its writer has ended. */
export function useLog(source: LogSource): OpenLog {
  const [at, setAt] = useState<{ state: LogState; error: unknown }>({ state: 'connecting', error: null });
  // Another log is another model; the same log under another object is not.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key says which log it is
  const { model, stream } = useMemo(() => {
    const model = new LogModel();
    const stream = new LogStream(source, {
      onLines: (items) => model.push(items),
      onMark: (mark) => model.mark(mark),
      onState: (state, error) => setAt({ state, error }),
      room: model.room,
    });
    return { model, stream };
  }, [source.key]);
  useEffect(() => {
    stream.start();
    return () => stream.close();
  }, [stream]);
  const start = useCallback(() => stream.start(), [stream]);
  const stop = useCallback(() => stream.stop(), [stream]);
  return { model, ...at, start, stop };
}
