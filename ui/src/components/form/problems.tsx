/** What is wrong with the document, brought to the field that shows it. */
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react';
import { fieldOf } from './paths';
import { FieldRegistry } from './registry';

export interface Told {
  path: string;
  message: string;
  hint?: string | null;
  severity: 'problem' | 'warning';
  /** The field that shows it; nothing where none does. */
  field?: string;
}

interface Context {
  registry: FieldRegistry;
  all: Told[];
  byField: ReadonlyMap<string, Told[]>;
  /** Says everything at once, also of fields where nobody was yet. */
  isPlain: boolean;
}

const ProblemsContext = createContext<Context>({
  registry: new FieldRegistry(),
  all: [],
  byField: new Map(),
  isPlain: true,
});

/** Places what is told, and what fields say themselves, at the fields that are on the page. */
export function placed(told: readonly Told[], registry: FieldRegistry): Told[] {
  const own: Told[] = [...registry.ownProblems].map(([path, message]) => ({
    path,
    message,
    severity: 'problem',
  }));
  // What a field says of its own text comes before what the service says of an older one.
  const others = told.filter(({ path }) => !registry.ownProblems.has(path));
  return [...own, ...others].map((one) => ({ ...one, field: fieldOf(one.path, registry.fields) }));
}

export function ProblemsProvider({
  told,
  isPlain,
  children,
}: {
  told: readonly Told[];
  isPlain: boolean;
  children: ReactNode;
}) {
  const [registry] = useState(() => new FieldRegistry());
  const version = useSyncExternalStore(registry.subscribe, registry.snapshot);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the registry changes with its version
  const value = useMemo(() => {
    const all = placed(told, registry);
    const byField = new Map<string, Told[]>();
    for (const one of all) {
      if (one.field !== undefined) byField.set(one.field, [...(byField.get(one.field) ?? []), one]);
    }
    return { registry, all, byField, isPlain };
  }, [told, isPlain, registry, version]);
  return <ProblemsContext.Provider value={value}>{children}</ProblemsContext.Provider>;
}

const NONE: Told[] = [];

/** What is said at a field, and how the field tells that it was visited. */
export function useFieldProblems(path: string): { told: Told[]; visit: () => void } {
  const { registry, byField, isPlain } = useContext(ProblemsContext);
  useEffect(() => registry.add(path), [registry, path]);
  const all = byField.get(path) ?? NONE;
  const told =
    isPlain || registry.isVisited(path) || registry.ownProblems.has(path)
      ? all
      : all.filter(({ severity }) => severity === 'warning');
  return { told, visit: () => registry.visit(path) };
}

/** Says at a field that what is typed there is none. */
export function useOwnProblem(path: string, message: string | undefined): void {
  const { registry } = useContext(ProblemsContext);
  useEffect(() => {
    registry.setOwn(path, message);
    return () => registry.setOwn(path, undefined);
  }, [registry, path, message]);
}

/** Everything that is told, with its field. */
export function useAllTold(): Told[] {
  return useContext(ProblemsContext).all;
}

/** The element of a field on the page. */
export function fieldElement(path: string): HTMLElement | undefined {
  return [...document.querySelectorAll<HTMLElement>('[data-field]')].find(
    (element) => element.dataset.field === path,
  );
}

const FOCUSABLE =
  'input:not([type=hidden]):not([disabled]):not([aria-hidden=true]), textarea, select, button:not([disabled]), [contenteditable=true]';

/** Leads to a field: it is scrolled to, and what can be typed in gets the focus. */
export function goToField(path: string): boolean {
  const element = fieldElement(path);
  if (!element) return false;
  element.scrollIntoView({ block: 'center', behavior: 'smooth' });
  (
    element.querySelector<HTMLElement>('[data-first]') ?? element.querySelector<HTMLElement>(FOCUSABLE)
  )?.focus({
    preventScroll: true,
  });
  return true;
}
