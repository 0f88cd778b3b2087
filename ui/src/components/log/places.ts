/** Ascending numbers of which the first leave and the last come, each at an index that stays. */
export class Places {
  private list: number[] = [];
  private head = 0;
  /** Index of the first that is here. */
  first = 0;

  get length(): number {
    return this.list.length - this.head;
  }

  /** Index after the last. */
  get end(): number {
    return this.first + this.length;
  }

  push(place: number): void {
    this.list.push(place);
  }

  at(index: number): number | undefined {
    return index < this.first ? undefined : this.list[this.head + index - this.first];
  }

  /** Lets go of this many of the first. */
  drop(count: number): void {
    const gone = Math.min(count, this.length);
    this.head += gone;
    this.first += gone;
    if (this.head > 8_192 && this.head * 2 > this.list.length) {
      this.list = this.list.slice(this.head);
      this.head = 0;
    }
  }

  /** Lets go of those below this place. */
  dropBelow(place: number): void {
    while (this.length > 0 && (this.list[this.head] ?? 0) < place) this.drop(1);
  }

  /** Index of the first that is not below this place. */
  indexOf(place: number): number {
    let [low, high] = [this.head, this.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.list[middle] ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    return this.first + low - this.head;
  }
}
