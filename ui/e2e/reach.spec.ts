/** Everybody can use it: a phone, a keyboard, a dark room, a screen reader, another language. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from '@playwright/test';
import { remove, run, whyNoContainers } from './docker';
import { ended, expect, smallTask, test, visit } from './test';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}

/** Serious violations of WCAG 2.2 A and AA on the page as it is. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const run = (
      window as unknown as { axe: { run(root: Document, options: object): Promise<{ violations: unknown }> } }
    ).axe;
    return (await run.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }))
      .violations;
  });
  return (found as Violation[])
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
    );
}

const PAGES = [
  '#dashboard',
  '#tasks',
  '#tasks/1',
  '#tasks/1/experiments',
  '#tasks/1/results',
  '#tasks/1/logs',
  '#tasks/1/configuration',
  '#tasks/1/runs',
  '#tasks/1/experiments/1',
  '#experiments',
  '#compare?ids=1,2',
  '#new-task',
  '#new-task?from=1',
  '#new-task?edit=2',
  '#new-task?tab=yaml',
  '#tasks/2',
  '#tasks?status=failed',
  '#presets',
  '#containers',
  '#pods',
  '#images',
  '#settings/tokens',
  '#settings/audit',
  '#settings/defaults',
];

// The page of pods is looked at without a cluster, too, and says so in words.
test.use({ allowed: { complaints: [/status of 503 .*\/api\/kubernetes\//] } });

/** How long a page gets to be drawn. */
const SETTLE = 1_200;

for (const colorScheme of ['light', 'dark'] as const) {
  test(`no page has a serious violation of accessibility in the ${colorScheme}, or is wider than a phone`, async ({
    stranger: page,
    service,
  }) => {
    test.setTimeout(400_000);
    const engine = `autotuner-e2e-${process.pid}-${colorScheme}`;
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { id } = await service.ask<{ id: number }>('POST', '/api/tasks', smallTask('looked-at'));
    await service.ask('POST', `/api/tasks/${id}/start`);
    await service.ask('POST', '/api/tasks', smallTask('waits'));
    await ended(service, id);
    const problems: string[] = [];
    await page.goto(`${service.url}/`);
    await page.getByLabel('Access token').waitFor();
    for (const problem of await violations(page)) problems.push(`the login: ${problem}`);
    const pages = [...PAGES];
    if (whyNoContainers() === undefined) {
      const container = run(
        engine,
        'i=0; while true; do i=$((i+1)); echo "INFO step $i"; echo "ERROR $i" >&2; usleep 200000; done',
      );
      for (const tab of ['', '?tab=stats', '?tab=details']) pages.push(`#containers/${container}${tab}`);
    }
    await visit(page, service, '');
    for (const hash of pages) {
      await page.goto(`${service.url}/${hash}`);
      await page.getByRole('heading', { level: 1 }).first().waitFor();
      await page.waitForTimeout(SETTLE);
      for (const problem of await violations(page)) problems.push(`${hash}: ${problem}`);
      await page.setViewportSize({ width: 390, height: 844 });
      await page.waitForTimeout(200);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 390) problems.push(`${hash}: ${width} pixels wide on a phone`);
      await page.setViewportSize({ width: 1440, height: 900 });
    }
    // Nobody looks at it any more when it goes.
    await page.goto('about:blank');
    remove(engine);
    expect(problems).toEqual([]);
  });
}

test('by keyboard alone: from the palette to a task that runs', async ({ stranger: page, service }) => {
  await service.ask('POST', '/api/tasks', smallTask('by-keys'));
  await visit(page, service, '#dashboard');
  await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await expect(page).toHaveURL(/#tasks$/);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('by-keys');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'by-keys' })).toBeVisible();
  const start = page.getByRole('button', { name: 'Start', exact: true });
  for (let presses = 0; presses < 40; presses += 1) {
    if (await start.evaluate((button) => button === document.activeElement)) break;
    await page.keyboard.press('Tab');
  }
  await expect(start).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(
    page
      .locator('main')
      .getByText(/^(Running|Completed)$/)
      .first(),
  ).toBeVisible();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('a phone: the drawer, and cards instead of tables', async ({ stranger: page, service }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await service.ask('POST', '/api/tasks', smallTask('in-a-pocket'));
  await visit(page, service, '#dashboard');
  await page.getByRole('button', { name: 'Open navigation' }).click();
  await page.getByRole('dialog').getByRole('link', { name: 'Tasks', exact: true }).click();
  await expect(page.getByRole('link', { name: 'in-a-pocket' })).toBeVisible();
  await page.getByRole('link', { name: 'in-a-pocket' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'in-a-pocket' })).toBeVisible();
});

test.describe('in Chinese', () => {
  test.use({ locale: 'zh-CN' });

  test('the page speaks it', async ({ stranger: page, service }) => {
    await visit(page, service, '#tasks');
    await expect(page.getByRole('heading', { level: 1, name: '任务' })).toBeVisible();
  });
});

test('a viewer sees everything and may change nothing', async ({ stranger: page, service }) => {
  await service.ask('POST', '/api/tasks', smallTask('of-others'));
  const { token } = await service.ask<{ token: string }>('POST', '/api/auth/tokens', {
    name: 'eyes',
    role: 'viewer',
  });
  await page.goto(`${service.url}/?token=${token}`);
  await page.getByRole('link', { name: 'Tasks', exact: true }).click();
  await expect(page.getByRole('row', { name: /of-others/ })).toBeVisible();
  await expect(
    page.getByRole('row', { name: /of-others/ }).getByRole('button', { name: 'Start', exact: true }),
  ).toHaveCount(0);
  await page.keyboard.press('j');
  await page.keyboard.press('x');
  await expect(page.getByText('1 selected')).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Access tokens' })).toHaveCount(0);
  await page.goto(`${service.url}/#settings/tokens`);
  await expect(page.getByRole('alert').or(page.getByText(/admin/i)).first()).toBeVisible();
});
