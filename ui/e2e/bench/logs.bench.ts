/** The log viewer while a container prints twenty thousand lines a second. */
import { remove, run, whyNoContainers } from '../docker';
import { Service } from '../service';
import { test, visit } from '../test';
import { quantile, takeFrames, tell, watchFrames } from './measure';

const SECONDS = 30;
const RATE = 20_000;
const NAME = 'autotuner-bench-flood';

/** Fifty batches in every second of the clock, so that the rate holds whatever printing costs. */
const FLOOD = `awk -v rate=${RATE} 'BEGIN {
  while (1) {
    now = systime()
    if (now != second) { second = now; sent = 0 }
    if (sent >= rate) { system("usleep 4000"); continue }
    for (i = 0; i < rate / 50; i++) print "2026-11-29 10:00:00 INFO worker: line " n++ " of a log that is in a hurry to be read"
    sent += rate / 50
    fflush()
    system("usleep 14000")
  }
}'`;

test('a flood of lines', async ({ page }) => {
  const why = whyNoContainers();
  test.skip(why !== undefined, why);
  remove(NAME);
  const id = run(NAME, FLOOD);
  const service = await Service.start({ AUTOTUNER_MANAGE_ALL_CONTAINERS: 'true' });
  try {
    await visit(page, service, `#containers/${id}`);
    const rows = page.locator('[data-line]');
    await rows.first().waitFor();
    await page.waitForTimeout(2_000);
    const number = async () =>
      Number(/line (\d+)/.exec((await rows.last().textContent()) ?? '')?.[1] ?? Number.NaN);
    await watchFrames(page);
    const [from, begun] = [await number(), performance.now()];
    await page.waitForTimeout(SECONDS * 1_000);
    const [to, seconds] = [await number(), (performance.now() - begun) / 1_000];
    const frames = await takeFrames(page);
    const { nodes, heap } = await page.evaluate(() => ({
      nodes: document.querySelectorAll('*').length,
      heap:
        (performance as unknown as { memory?: { usedJSHeapSize: number } }).memory?.usedJSHeapSize ??
        Number.NaN,
    }));
    tell('lines that went past on the page', (to - from) / seconds, 'a second', { least: RATE * 0.95 });
    tell(`99th percentile of ${frames.length} frames`, quantile(frames, 0.99), 'ms', { most: 50 });
    tell('longest frame', Math.max(...frames), 'ms', { most: 100 });
    tell('nodes of the page', nodes, '', { most: 2_000 });
    tell('JavaScript heap', heap / 1024 / 1024, 'MiB', { most: 150 });
  } finally {
    remove(NAME);
    await service.close();
  }
});
