/** What is searched for in a log and what is left out, in the address, so that a link shows the same. */
import { useEffect, useRef } from 'react';
import { type Search as Address, asWord } from '@/lib/search';
import { LEVELS } from './levels';
import type { Search } from './matcher';

/** What somebody looks for. */
export interface Sought {
  search: Search;
  onlyMatches: boolean;
  minLevel: number;
  stream: 'both' | 'stdout' | 'stderr';
}

/** An address, and a way to change some of it. */
export type Kept = readonly [Address, (change: Record<string, string | undefined>) => void];

/** How long typing pauses before it is in the address. */
const PAUSE = 400;

export function readSought(address: Address): Sought {
  const how = (address.how ?? '').split(',');
  return {
    search: {
      text: address.find ?? '',
      isRegex: how.includes('regex'),
      isCaseSensitive: how.includes('case'),
    },
    onlyMatches: address.only === '1',
    minLevel: Math.max(0, LEVELS.indexOf(asWord(address.level, LEVELS) ?? 'none')),
    stream: asWord(address.stream, ['stdout', 'stderr'] as const) ?? 'both',
  };
}

export function writeSought({ search, onlyMatches, minLevel, stream }: Sought) {
  const how = [search.isRegex && 'regex', search.isCaseSensitive && 'case'].filter(Boolean).join(',');
  return {
    find: search.text || undefined,
    how: how || undefined,
    only: onlyMatches ? '1' : undefined,
    level: minLevel > 0 ? LEVELS[minLevel] : undefined,
    stream: stream === 'both' ? undefined : stream,
  };
}

/** Writes it down when it has changed; the address is read once, at the beginning. */
export function useKept(kept: Kept | undefined, sought: Sought): void {
  const text = JSON.stringify(writeSought(sought));
  const written = useRef(text);
  const change = useRef(kept?.[1]);
  change.current = kept?.[1];
  useEffect(() => {
    if (text === written.current) return;
    const timer = setTimeout(() => {
      written.current = text;
      change.current?.({
        find: undefined,
        how: undefined,
        only: undefined,
        level: undefined,
        stream: undefined,
        ...(JSON.parse(text) as Record<string, string>),
      });
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
}
