/** The search in a log: plain or as an expression, with the number of matches and the way through them. */
import { CaseSensitive, ChevronDown, ChevronUp, Filter, Regex, Search, SearchCheck } from 'lucide-react';
import type { Ref } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import { number } from '@/lib/format';
import { IconButton } from '../Button';
import { INPUT } from '../Input';
import { Tip } from '../Tip';
import type { LogModel } from './model';
import type { Find } from './useFind';
import { useModel } from './useModel';

export function FindBar({
  model,
  find,
  onShow,
  onLeave,
  onSearchAll,
  inputRef,
  className,
}: {
  model: LogModel;
  find: Find;
  onShow: (place: number) => void;
  onLeave: () => void;
  /** Searches also what is not here, where that can be done. */
  onSearchAll: (() => void) | undefined;
  inputRef: Ref<HTMLInputElement>;
  className?: string;
}) {
  const { t } = useTranslation();
  const { search, setSearch, error, current, matcher } = find;
  const step = (by: 1 | -1) => {
    const place = find.step(by);
    if (place !== null) onShow(place);
  };
  const hasNone = useModel(model, ({ hits }) => hits.length === 0);
  return (
    <div className={cx('flex min-w-0 items-center gap-1', className)}>
      <div className="relative min-w-0 flex-1">
        <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-faint" />
        <input
          ref={inputRef}
          type="text"
          data-search
          aria-label={t('logs.find')}
          aria-invalid={error !== null || undefined}
          aria-description={error ?? undefined}
          placeholder={t('logs.find')}
          title={error ?? undefined}
          value={search.text}
          onChange={(event) => setSearch({ text: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
            else if (event.key === 'Escape') {
              if (search.text === '') onLeave();
              else setSearch({ text: '' });
              event.stopPropagation();
            } else return;
            event.preventDefault();
          }}
          className={cx(INPUT, 'h-8 min-w-0 pr-16 pl-8')}
        />
        <div className="absolute top-1 right-1 flex">
          <Flag
            icon={CaseSensitive}
            label={t('logs.caseSensitive')}
            isOn={search.isCaseSensitive}
            onChange={(isCaseSensitive) => setSearch({ isCaseSensitive })}
          />
          <Flag
            icon={Regex}
            label={t('logs.regex')}
            isOn={search.isRegex}
            onChange={(isRegex) => setSearch({ isRegex })}
          />
        </div>
      </div>
      {search.text !== '' && (
        <>
          <span className={cx('num px-1 text-xs whitespace-nowrap', error ? 'text-bad' : 'text-muted')}>
            {error ? t('logs.badSearch') : matcher && <Count model={model} current={current} />}
          </span>
          <IconButton
            icon={ChevronUp}
            label={t('logs.previousMatch')}
            disabled={hasNone}
            onClick={() => step(-1)}
            className="size-7"
          />
          <IconButton
            icon={ChevronDown}
            label={t('logs.nextMatch')}
            disabled={hasNone}
            onClick={() => step(1)}
            className="size-7"
          />
          <Flag
            icon={Filter}
            label={t('logs.onlyMatches')}
            isOn={find.onlyMatches}
            onChange={find.setOnlyMatches}
            className="size-7!"
          />
          {onSearchAll && (
            <IconButton
              icon={SearchCheck}
              label={t('logs.searchAll')}
              onClick={onSearchAll}
              className="size-7"
            />
          )}
        </>
      )}
    </div>
  );
}

/** Which match is looked at, of how many. Drawn alone, because it changes with every line that matches. */
function Count({ model, current }: { model: LogModel; current: number | null }) {
  const count = useModel(model, ({ hits }) => hits.length);
  const nth = useModel(model, ({ hits }) => (current === null ? 0 : hits.indexOf(current) - hits.first + 1));
  return `${nth > 0 ? number(nth, 9) : '–'}/${number(count, 9)}`;
}

/** A small switch with an icon on it. */
export function Flag({
  icon: Icon,
  label,
  isOn,
  onChange,
  className,
}: {
  icon: typeof Search;
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
  className?: string;
}) {
  return (
    <Tip text={label}>
      <button
        type="button"
        aria-label={label}
        aria-pressed={isOn}
        onClick={() => onChange(!isOn)}
        className={cx(
          'inline-flex size-6 items-center justify-center rounded-md',
          isOn ? 'bg-accent-soft text-accent' : 'text-muted hover:bg-sunken hover:text-fg',
          className,
        )}
      >
        <Icon aria-hidden className="size-4" />
      </button>
    </Tip>
  );
}
