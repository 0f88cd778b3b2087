/** What benchmarks share: frames of a page, and how figures are told. */
import type { Page } from '@playwright/test';

/** Starts to note how long every frame of a page takes. */
export async function watchFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const frames: number[] = [];
    let last = performance.now();
    const note = (now: number) => {
      frames.push(now - last);
      last = now;
      requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
    Object.assign(window, { frames });
  });
}

/** The frames since then, and begins anew. */
export async function takeFrames(page: Page): Promise<number[]> {
  return page.evaluate(() => (window as unknown as { frames: number[] }).frames.splice(0));
}

/** The value below which this share of them is. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** One line: the figure, its goal, and whether it is met. */
export function tell(
  what: string,
  value: number,
  unit: string,
  goal?: { most?: number; least?: number },
): void {
  const isMet =
    (goal?.most === undefined || value <= goal.most) && (goal?.least === undefined || value >= goal.least);
  const told = goal
    ? ` (goal ${goal.most === undefined ? `at least ${goal.least}` : `at most ${goal.most}`}: ${isMet ? 'met' : 'missed'})`
    : '';
  process.stdout.write(`${what}: ${value.toFixed(value < 10 ? 2 : 0)} ${unit}${told}\n`);
}
