/** Which places of the document have a field on the page, which were visited, and what fields themselves find wrong. */

export class FieldRegistry {
  private readonly counts = new Map<string, number>();
  private readonly visited = new Set<string>();
  private readonly own = new Map<string, string>();
  private readonly listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  /** A field shows this place, until what is returned is called. */
  add(path: string): () => void {
    const count = (this.counts.get(path) ?? 0) + 1;
    this.counts.set(path, count);
    if (count === 1) this.changed();
    return () => {
      const left = (this.counts.get(path) ?? 1) - 1;
      if (left > 0) {
        this.counts.set(path, left);
        return;
      }
      this.counts.delete(path);
      this.own.delete(path);
      this.changed();
    };
  }

  get fields(): Iterable<string> {
    return this.counts.keys();
  }

  /** Somebody was in this field and left it. */
  visit(path: string): void {
    if (this.visited.has(path)) return;
    this.visited.add(path);
    this.changed();
  }

  isVisited(path: string): boolean {
    return this.visited.has(path);
  }

  /** What is typed at a place cannot be part of a document. */
  setOwn(path: string, message: string | undefined): void {
    if (this.own.get(path) === message) return;
    if (message === undefined) this.own.delete(path);
    else this.own.set(path, message);
    this.changed();
  }

  get ownProblems(): ReadonlyMap<string, string> {
    return this.own;
  }
}
