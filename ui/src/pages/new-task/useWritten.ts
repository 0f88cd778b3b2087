/** The text beside the form: the document is read from it, and it is written anew where the form has changed. */
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  type ReadText,
  readText,
  type TextError,
  type TextFormat,
  tasksOf,
  writeText,
} from '@/components/editor/text';
import { type Json, same } from '@/components/form/json';
import type { DocumentStore } from '@/components/form/store';
import type { Written } from './draft';

const NO_ERRORS: TextError[] = [];
const ORDERED = new Set(['parameters']);

/** Whether two documents say the same to an engine: the order of parameters counts. */
export function isSameDocument(one: Json, other: Json): boolean {
  return same(one, other, ORDERED);
}

export interface WrittenState {
  written: Written | undefined;
  errors: readonly TextError[];
  /** Takes what was typed; the document follows where the text can be read. */
  type: (text: string) => void;
  /** Takes a text as it is. */
  take: (written: Written | undefined) => void;
}

export function useWritten(
  store: DocumentStore,
  document: Json,
  tab: TextFormat | 'form',
  first: Written | undefined,
): WrittenState {
  const { t } = useTranslation();
  const [written, setWritten] = useState(first);
  const read = useMemo(
    (): ReadText | undefined => (written ? readText(written.text, written.format) : undefined),
    [written],
  );
  const errors = useMemo((): readonly TextError[] => {
    if (!read) return NO_ERRORS;
    const count = tasksOf(read.documents).length;
    if (read.errors.length > 0 || count === 1) return read.errors;
    const message = t(count === 0 ? 'form.text.empty' : 'form.text.several', { count });
    return [{ message, line: 1, column: 1, from: 0, to: 0 }];
  }, [read, t]);
  useEffect(() => {
    if (tab === 'form') return;
    const isOld =
      read === undefined ||
      (errors.length === 0 &&
        (written?.format !== tab || !isSameDocument(tasksOf(read.documents)[0] ?? null, document)));
    if (isOld) setWritten({ format: tab, text: writeText(document, tab) });
  }, [tab, document, written, read, errors]);
  return {
    written,
    errors,
    take: setWritten,
    type: (text) => {
      if (!written || text === written.text) return;
      setWritten({ ...written, text });
      const next = readText(text, written.format);
      const [only, ...more] = tasksOf(next.documents);
      if (next.errors.length === 0 && only !== undefined && more.length === 0) store.replace(only);
    },
  };
}
