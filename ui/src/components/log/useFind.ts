/** What is searched for in a log, what it finds, and which of the matches is looked at. */
import { useCallback, useEffect, useMemo, useState } from 'react';
import { type Kept, readSought, type Sought, useKept } from './kept';
import { type Matcher, matcherOf, type Search } from './matcher';
import type { LogModel } from './model';

export interface Find extends Sought {
  setSearch: (change: Partial<Search>) => void;
  matcher: Matcher | null;
  /** Why it cannot be understood. */
  error: string | null;
  setOnlyMatches: (only: boolean) => void;
  setMinLevel: (level: number) => void;
  setStream: (stream: Sought['stream']) => void;
  /** Place of the match that is looked at. */
  current: number | null;
  /** Goes to the next match, or to the one before; gives its place. */
  step: (by: 1 | -1) => number | null;
}

/** How long typing pauses before everything is looked through. */
const PAUSE = 150;

/** Begins with what the address says where there is one, and keeps it there. */
export function useFind(model: LogModel, kept?: Kept): Find {
  const [first] = useState(() => readSought(kept?.[0] ?? {}));
  const [search, change] = useState(first.search);
  const [sought, setSought] = useState(search);
  const [onlyMatches, setOnlyMatches] = useState(first.onlyMatches);
  const [minLevel, setMinLevel] = useState(first.minLevel);
  const [stream, setStream] = useState(first.stream);
  useKept(kept, { search, onlyMatches, minLevel, stream });
  const [current, setCurrent] = useState<number | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setSought(search), search.text === '' ? 0 : PAUSE);
    return () => clearTimeout(timer);
  }, [search]);
  const found = useMemo(() => matcherOf(sought), [sought]);
  const error = found && 'error' in found ? found.error : null;
  const matcher = found && 'test' in found ? found : null;
  useEffect(() => {
    setCurrent(null);
    model.setFilter({ matcher, onlyMatches, minLevel, stream });
  }, [model, matcher, onlyMatches, minLevel, stream]);
  const setSearch = useCallback((part: Partial<Search>) => change((before) => ({ ...before, ...part })), []);
  const step = useCallback(
    (by: 1 | -1) => {
      const { hits } = model;
      if (hits.length === 0) return null;
      let index: number;
      if (current === null) {
        // From what is seen on; while the end is followed, the latest.
        index = model.isFollowing ? hits.end - 1 : hits.indexOf(model.topPlace) - (by === 1 ? 0 : 1);
      } else {
        const at = hits.indexOf(current);
        index = by === -1 ? at - 1 : hits.at(at) === current ? at + 1 : at;
      }
      if (index >= hits.end) index = hits.first;
      if (index < hits.first) index = hits.end - 1;
      const place = hits.at(index) ?? null;
      setCurrent(place);
      return place;
    },
    [model, current],
  );
  return {
    search,
    setSearch,
    matcher,
    error,
    onlyMatches,
    setOnlyMatches,
    minLevel,
    setMinLevel,
    stream,
    setStream,
    current,
    step,
  };
}
