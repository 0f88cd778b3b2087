/** A search through the whole log, by the service: also what is not in this view any more. */
import { Search as SearchIcon } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type LogPart, readLog } from '@/api/log-stream';
import type { LogSource } from '@/api/logs';
import { number } from '@/lib/format';
import { Button } from '../Button';
import { Dialog } from '../Dialog';
import { Input } from '../Input';
import { Failed, SkeletonRows } from '../States';
import { Checkbox } from '../Toggle';
import { type Matcher, matcherOf, type Search } from './matcher';
import { pieces, withHits } from './text';

/** The latest matches that are shown. */
const MOST = 1_000;

/** The same search in the words of the service, whose expressions are Rust's. */
export function serverSearch({ text, isRegex, isCaseSensitive }: Search): string {
  const source = isRegex ? text : text.replace(/[\\.+*?()|[\]{}^$#&\-~]/g, '\\$&');
  return isCaseSensitive ? source : `(?i)${source}`;
}

export function ServerSearch({
  source,
  search: first,
  onClose,
}: {
  source: LogSource;
  search: Search;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [search, setSearch] = useState(first);
  const [answer, setAnswer] = useState<{ part: LogPart; search: Search } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isPending, setPending] = useState(false);
  const asking = useRef<AbortController>(undefined);
  const ask = async (wanted: Search) => {
    asking.current?.abort();
    if (wanted.text === '') return;
    const own = new AbortController();
    asking.current = own;
    setPending(true);
    setError(null);
    try {
      const part = await readLog(source, { tail: MOST, search: serverSearch(wanted) }, own.signal);
      setAnswer({ part, search: wanted });
    } catch (problem) {
      if (!own.signal.aborted) setError(problem);
    } finally {
      if (!own.signal.aborted) setPending(false);
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was searched for already is asked once
  useEffect(() => {
    void ask(first);
    return () => asking.current?.abort();
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void ask(search);
  };
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="lg"
      title={t('logs.searchAll')}
      description={t('logs.searchAllText')}
    >
      <form onSubmit={submit} className="flex flex-wrap items-center gap-3">
        <Input
          autoFocus
          aria-label={t('logs.find')}
          value={search.text}
          onChange={(event) => setSearch({ ...search, text: event.target.value })}
          className="min-w-48 flex-1 basis-48"
        />
        <Checkbox
          label={t('logs.regex')}
          isOn={search.isRegex}
          onChange={(isRegex) => setSearch({ ...search, isRegex })}
        />
        <Checkbox
          label={t('logs.caseSensitive')}
          isOn={search.isCaseSensitive}
          onChange={(isCaseSensitive) => setSearch({ ...search, isCaseSensitive })}
        />
        <Button type="submit" kind="primary" icon={SearchIcon} isPending={isPending}>
          {t('action.search')}
        </Button>
      </form>
      <div className="mt-4 min-h-40">
        {error ? (
          <Failed error={error} className="py-6" />
        ) : answer ? (
          <Found part={answer.part} matcher={matcherOf({ ...answer.search })} />
        ) : (
          isPending && <SkeletonRows />
        )}
      </div>
    </Dialog>
  );
}

function Found({ part, matcher }: { part: LogPart; matcher: ReturnType<typeof matcherOf> }) {
  const { t } = useTranslation();
  const marks: Matcher | null = matcher && 'test' in matcher ? matcher : null;
  return (
    <>
      <p role="status" className="mb-2 text-muted text-xs">
        {t('logs.foundAll', {
          count: part.matching,
          shown: number(part.matching, 9),
          lines: number(part.lookedAt, 9),
        })}{' '}
        {part.isCut && t('logs.foundCut', { shown: number(part.items.length, 9) })}
      </p>
      {part.items.length > 0 && (
        <ol
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
          tabIndex={0}
          className="max-h-[50vh] overflow-auto rounded-lg border border-line bg-sunken py-1 font-mono text-xs leading-5"
        >
          {part.items.map((item, index) => {
            const list = pieces(typeof item === 'string' ? item : item.l).pieces;
            const ranges = marks?.ranges(list.map(({ text }) => text).join(''), 10) ?? [];
            return (
              <li
                // biome-ignore lint/suspicious/noArrayIndexKey: the answer does not change
                key={index}
                className="flex w-max min-w-full gap-3 px-3 whitespace-pre hover:bg-surface [contain-intrinsic-height:20px] [content-visibility:auto]"
              >
                {typeof item !== 'string' && (
                  <time dateTime={item.t} className="num text-faint">
                    {new Date(item.t).toLocaleString()}
                  </time>
                )}
                <span>
                  {withHits(list, ranges).map((piece, at) => (
                    <span
                      // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a line never move
                      key={at}
                      className={piece.isHit ? 'rounded-xs bg-warn/35 text-fg' : piece.className}
                    >
                      {piece.text}
                    </span>
                  ))}
                </span>
              </li>
            );
          })}
        </ol>
      )}
    </>
  );
}
