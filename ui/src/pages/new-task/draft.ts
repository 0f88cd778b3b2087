/** What is typed survives a reload of the page: kept in this browser's tab, for each task apart. */
import { useCallback, useEffect, useRef } from 'react';
import type { TextFormat } from '@/components/editor/text';
import type { Json } from '@/components/form/json';

export interface Written {
  format: TextFormat;
  text: string;
}

export interface Draft {
  document: Json;
  /** The text of the document, where it was written as one. */
  written?: Written;
}

const PREFIX = 'task-draft:';

export function readDraft(key: string): Draft | undefined {
  try {
    const text = sessionStorage.getItem(PREFIX + key);
    return text === null ? undefined : (JSON.parse(text) as Draft);
  } catch {
    return undefined;
  }
}

export function keepDraft(key: string, draft: Draft): void {
  try {
    sessionStorage.setItem(PREFIX + key, JSON.stringify(draft));
  } catch {
    // Without storage what is typed lasts as long as the page.
  }
}

export function dropDraft(key: string): void {
  try {
    sessionStorage.removeItem(PREFIX + key);
  } catch {
    // There is none.
  }
}

/** How long typing pauses before it is kept. */
const PAUSE = 200;

/**
 * Keeps what is typed, and before the page goes at once; what was not changed is not kept. The answer
 * ends it for good: what has been saved or left is no draft, whatever is still waiting to be kept.
 */
export function useDraft(
  key: string,
  isDirty: boolean,
  document: Json,
  written: Written | undefined,
): () => void {
  const isEnded = useRef(false);
  useEffect(() => {
    const keep = () => {
      if (isDirty && !isEnded.current) keepDraft(key, { document, written });
      else dropDraft(key);
    };
    const timer = setTimeout(keep, PAUSE);
    window.addEventListener('pagehide', keep);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('pagehide', keep);
    };
  }, [key, isDirty, document, written]);
  return useCallback(() => {
    isEnded.current = true;
    dropDraft(key);
  }, [key]);
}
