/** The first page, and pages of a task with a thousand experiments. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Service } from '../service';
import { expect, test, visit } from '../test';
import { quantile, takeFrames, tell, watchFrames } from './measure';

const PASSES = 7;

test('the first page', async ({ browser }) => {
  const service = await Service.start();
  const usable: number[] = [];
  let script = 0;
  for (let pass = 0; pass < PASSES; pass += 1) {
    // A context has no cache of another.
    const context = await browser.newContext({ locale: 'en-US' });
    const page = await context.newPage();
    const begun = performance.now();
    await page.goto(service.link);
    await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
    await page.getByRole('button', { name: /demo/i }).first().waitFor();
    usable.push(performance.now() - begun);
    script = await page.evaluate(() =>
      (performance.getEntriesByType('resource') as PerformanceResourceTiming[])
        .filter(({ name }) => new URL(name).pathname.endsWith('.js'))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    );
    await context.close();
  }
  tell('first page usable, by its link, nothing cached', quantile(usable, 0.5), 'ms', { most: 1_000 });
  tell('JavaScript of the first page, compressed', script / 1024, 'kB', { most: 350 });
  await service.close();
});

test('a thousand experiments', async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'autotuner-bench-'));
  const words = [
    'run',
    '--quiet',
    '--release',
    '--locked',
    '-p',
    'autotuner-store',
    '--example',
    'database-bench',
    '--',
  ];
  execFileSync(
    'cargo',
    [...words, '--fill', join(folder, 'autotuner.db'), String(Date.now()), '20', '1000'],
    {
      cwd: resolve(import.meta.dirname, '../../..'),
      stdio: 'inherit',
    },
  );
  const service = await Service.start({}, folder);
  await visit(page, service, '#tasks');
  await expect(page.getByRole('heading', { level: 1, name: 'Tasks' })).toBeVisible();
  for (const [name, hash] of [
    ['experiments', '#tasks/20/experiments'],
    ['results', '#tasks/20/results'],
  ] as const) {
    const begun = performance.now();
    await page.goto(`${service.url}/${hash}`);
    await page
      .locator(name === 'results' ? 'main canvas' : 'main table tbody tr')
      .first()
      .waitFor();
    tell(`${name} of 1,000 experiments: shown after`, performance.now() - begun, 'ms');
    await page.waitForTimeout(1_500);
    await watchFrames(page);
    await page.mouse.move(700, 600);
    for (let step = 0; step < 60; step += 1) {
      await page.mouse.wheel(0, 400);
      await page.waitForTimeout(30);
    }
    const frames = await takeFrames(page);
    tell(`${name}: scrolled, 99th percentile of ${frames.length} frames`, quantile(frames, 0.99), 'ms', {
      most: 50,
    });
  }
  await service.close();
  rmSync(folder, { recursive: true, force: true });
});
