/** What is wrong with the document, brought to the field that shows it. */
import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useLayoutEffect,
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

const NONE: Told[] = [];

/** The old list where the new one says the same, so that nothing is drawn again for it. */
function settled(old: Told[] | undefined, now: Told[]): Told[] {
  return old && JSON.stringify(old) === JSON.stringify(now) ? old : now;
}

/** What is told, by field. Each field hears only of what is said at it. */
export class ProblemsStore {
  readonly registry = new FieldRegistry();
  private told: readonly Told[] = NONE;
  private isPlain = true;
  private everything: Told[] = NONE;
  private byField = new Map<string, Told[]>();
  private readonly listeners = new Set<() => void>();
  private isDue = false;

  constructor() {
    this.registry.subscribe(() => this.later());
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly all = (): Told[] => this.everything;

  readonly at = (path: string): Told[] => this.byField.get(path) ?? NONE;

  /** `isPlain` says everything at once, also of fields where nobody was yet. */
  tell(told: readonly Told[], isPlain: boolean): void {
    if (told === this.told && isPlain === this.isPlain) return;
    this.told = told;
    this.isPlain = isPlain;
    this.place();
  }

  /** Many fields come at once; they are placed once. */
  private later(): void {
    if (this.isDue) return;
    this.isDue = true;
    queueMicrotask(() => {
      this.isDue = false;
      this.place();
    });
  }

  private place(): void {
    const { registry } = this;
    const all = placed(this.told, registry);
    const byField = new Map<string, Told[]>();
    for (const one of all) {
      const { field } = one;
      if (field === undefined) continue;
      const isSaid =
        this.isPlain ||
        one.severity === 'warning' ||
        registry.isVisited(field) ||
        registry.ownProblems.has(field);
      if (isSaid) byField.set(field, [...(byField.get(field) ?? []), one]);
    }
    for (const [field, now] of byField) byField.set(field, settled(this.byField.get(field), now));
    this.byField = byField;
    this.everything = settled(this.everything, all);
    for (const listener of this.listeners) listener();
  }
}

const ProblemsContext = createContext<ProblemsStore>(new ProblemsStore());

export function ProblemsProvider({
  told,
  isPlain,
  children,
}: {
  told: readonly Told[];
  isPlain: boolean;
  children: ReactNode;
}) {
  const [store] = useState(() => new ProblemsStore());
  useLayoutEffect(() => store.tell(told, isPlain), [store, told, isPlain]);
  return <ProblemsContext.Provider value={store}>{children}</ProblemsContext.Provider>;
}

/** What is said at a field, and how the field tells that it was visited. */
export function useFieldProblems(path: string): { told: Told[]; visit: () => void } {
  const store = useContext(ProblemsContext);
  useEffect(() => store.registry.add(path), [store, path]);
  const told = useSyncExternalStore(store.subscribe, () => store.at(path));
  return { told, visit: () => store.registry.visit(path) };
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
  const store = useContext(ProblemsContext);
  return useSyncExternalStore(store.subscribe, store.all);
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
