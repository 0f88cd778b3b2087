/** A list of values as chips: typed, pasted, changed in place and taken away by keyboard or pointer. */
import { X } from 'lucide-react';
import { type ClipboardEvent, type KeyboardEvent, useId, useLayoutEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import type { Json } from './json';
import { isOpen, kindOf, parseValue, splitValues, type ValueKind, writeValue } from './values';

const KINDS: Record<ValueKind, string> = {
  number: 'text-fg',
  text: 'text-info',
  boolean: 'text-accent',
  null: 'text-muted italic',
  json: 'text-warn',
};

export interface ChipsProps {
  values: readonly Json[];
  onChange: (values: Json[]) => void;
  label: string;
  placeholder?: string;
  /** Which of them something is wrong with. */
  wrong?: ReadonlySet<number>;
  id?: string;
  /** Reads a typed text; values of any kind where it is left out. */
  read?: (text: string) => Json;
  'aria-invalid'?: boolean | undefined;
  'aria-describedby'?: string | undefined;
}

export function Chips({
  values,
  onChange,
  label,
  placeholder,
  wrong,
  id,
  read = parseValue,
  ...tie
}: ChipsProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const [edited, setEdited] = useState<number>();
  const hint = useId();
  const input = useRef<HTMLInputElement>(null);

  // The field moves to where a value is changed, and its focus with it.
  const wantsFocus = useRef(false);
  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    input.current?.focus();
    input.current?.select();
  });

  const commit = (text: string, staysHere: boolean) => {
    wantsFocus.current = staysHere;
    const more = splitValues(text).map(read);
    setTyped('');
    if (edited !== undefined) {
      setEdited(undefined);
      onChange(values.toSpliced(edited, 1, ...more));
    } else if (more.length > 0) onChange([...values, ...more]);
  };
  const edit = (index: number) => {
    setEdited(index);
    setTyped(writeValue(values[index] as Json));
    wantsFocus.current = true;
  };
  const remove = (index: number) => {
    wantsFocus.current = true;
    setEdited(undefined);
    setTyped('');
    onChange(values.toSpliced(index, 1));
  };
  const pressed = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      commit(typed, true);
    } else if (event.key === ',' && !isOpen(typed)) {
      event.preventDefault();
      commit(typed, true);
    } else if (event.key === 'Escape' && edited !== undefined) {
      event.stopPropagation();
      wantsFocus.current = true;
      setEdited(undefined);
      setTyped('');
    } else if (event.key === 'Backspace' && typed === '' && edited === undefined && values.length > 0) {
      event.preventDefault();
      edit(values.length - 1);
    }
  };
  const pasted = (event: ClipboardEvent<HTMLInputElement>) => {
    const text = event.clipboardData.getData('text');
    if (splitValues(text).length < 2) return;
    event.preventDefault();
    commit(typed + text, true);
  };
  const field = (
    <input
      id={id}
      ref={input}
      data-first
      {...tie}
      aria-label={id ? undefined : label}
      aria-describedby={[tie['aria-describedby'], hint].filter(Boolean).join(' ')}
      value={typed}
      placeholder={values.length === 0 ? placeholder : undefined}
      spellCheck={false}
      autoComplete="off"
      onChange={({ target }) => setTyped(target.value)}
      onKeyDown={pressed}
      onPaste={pasted}
      onBlur={() => (typed !== '' || edited !== undefined) && commit(typed, false)}
      size={Math.max(3, typed.length + 1)}
      className={cx(
        'h-6 min-w-8 flex-1 bg-transparent px-1 font-mono text-xs outline-none placeholder:font-sans placeholder:text-faint',
        edited !== undefined && 'max-w-64 rounded bg-accent-soft',
      )}
    />
  );
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a click beside the chips goes to the field
    // biome-ignore lint/a11y/useKeyWithClickEvents: the field is reached by the keyboard itself
    <div
      onClick={(event) => event.target === event.currentTarget && input.current?.focus()}
      className={cx(
        'flex min-h-8 flex-wrap items-center gap-1 rounded-lg border bg-surface px-1 py-[3px] shadow-card focus-within:outline-2 focus-within:outline-accent focus-within:outline-offset-2',
        tie['aria-invalid'] ? 'border-bad' : 'border-line',
      )}
    >
      {values.map((value, index) =>
        index === edited ? (
          <span key="edited" className="contents">
            {field}
          </span>
        ) : (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: a list may hold a value twice
            key={index}
            className={cx(
              'inline-flex h-6 max-w-full items-center rounded-md bg-sunken font-mono text-xs ring-1 ring-inset',
              wrong?.has(index) ? 'text-bad ring-bad' : 'ring-line',
            )}
          >
            <button
              type="button"
              onClick={() => edit(index)}
              onKeyDown={(event) => {
                if (event.key === 'Delete' || event.key === 'Backspace') {
                  event.preventDefault();
                  remove(index);
                }
              }}
              aria-label={t('form.chip.edit', {
                value: writeValue(value),
                kind: t(`form.chip.kind.${kindOf(value)}`),
              })}
              title={t(`form.chip.kind.${kindOf(value)}`)}
              className={cx(
                'h-full min-w-0 truncate rounded-l-md pl-2',
                !wrong?.has(index) && KINDS[kindOf(value)],
              )}
            >
              {value === null ? t('form.chip.none') : writeValue(value)}
            </button>
            <button
              type="button"
              tabIndex={-1}
              aria-label={t('form.chip.remove', { value: writeValue(value) })}
              onClick={() => remove(index)}
              className="mx-0.5 flex size-5 items-center justify-center rounded text-faint hover:bg-line hover:text-fg"
            >
              <X aria-hidden className="size-3" />
            </button>
          </span>
        ),
      )}
      {edited === undefined && field}
      <span id={hint} className="sr-only">
        {t('form.chip.hint')}
      </span>
    </div>
  );
}
