/** The document that a form edits. It is the form's only state: every field shows and changes a place of it. */
import { createContext, useCallback, useContext, useSyncExternalStore } from 'react';
import { actual } from './aliases';
import { at, drop, insert, isObject, type Json, type JsonObject, type Path, put, rename } from './json';

/** Parts that a document has to have, also where they are empty. */
const REQUIRED = new Set(['model', 'parameters', 'optimization', 'benchmark']);

export class DocumentStore {
  private document: Json;
  private readonly listeners = new Set<() => void>();

  constructor(document: Json) {
    this.document = document;
  }

  readonly get = (): Json => this.document;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** What stands at a place by today's names, whatever names the document uses. */
  at(path: Path): Json | undefined {
    return at(this.document, actual(this.document, path));
  }

  replace(document: Json): void {
    if (document === this.document) return;
    this.document = document;
    for (const listener of this.listeners) listener();
  }

  set(path: Path, value: Json): void {
    this.replace(put(this.document, actual(this.document, path), value));
  }

  /** Takes away what stands at a place; `undefined` is no value of a document. */
  remove(path: Path): void {
    this.replace(drop(this.document, actual(this.document, path), REQUIRED));
  }

  setOrRemove(path: Path, value: Json | undefined): void {
    if (value === undefined) this.remove(path);
    else this.set(path, value);
  }

  private object(path: Path): JsonObject {
    const here = this.at(path);
    return isObject(here) ? here : {};
  }

  rename(path: Path, from: string, to: string): void {
    this.set(path, rename(this.object(path), from, to));
  }

  insert(path: Path, index: number, key: string, value: Json): void {
    this.set(path, insert(this.object(path), index, key, value));
  }
}

const StoreContext = createContext<DocumentStore>(new DocumentStore({}));
export const DocumentProvider = StoreContext.Provider;

export function useDocumentStore(): DocumentStore {
  return useContext(StoreContext);
}

/** What stands at a place, followed. */
export function useAt(path: Path): Json | undefined {
  const store = useDocumentStore();
  const read = useCallback(() => store.at(path), [store, path]);
  return useSyncExternalStore(store.subscribe, read);
}

/** The whole document, followed. */
export function useDocument(): Json {
  const store = useDocumentStore();
  return useSyncExternalStore(store.subscribe, store.get);
}
