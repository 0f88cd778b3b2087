/** Containers of a real daemon: their life, and a log that loses nothing over a restart of the service. */
import { create, remove, run, stateOf, whyNoContainers } from './docker';
import { expect, test, visit } from './test';

test.use({
  environment: { AUTOTUNER_MANAGE_ALL_CONTAINERS: 'true' },
  allowed: { complaints: [/status of 503/, /ERR_NETWORK_CHANGED/] },
});

const why = whyNoContainers();
test.skip(() => {
  if (why && process.env.AUTOTUNER_REQUIRE_DOCKER === '1') throw new Error(why);
  return why !== undefined;
}, why);

/** Ten thousand lines as fast as they can be read, then some every moment. */
const TALKER = `i=0
while [ $i -lt 10000 ]; do i=$((i+1)); echo "line $i of many"; [ $((i % 200)) = 0 ] && usleep 30000; done
while true; do i=$((i+1)); echo "line $i of many"; usleep 40000; done`;

const name = (what: string) => `autotuner-e2e-${process.pid}-${what}`;

test('started, stopped, restarted, removed by force', async ({ stranger: page, service }) => {
  const engine = name('life');
  try {
    run(engine, 'echo ready; trap exit TERM; while true; do sleep 1; done');
    await visit(page, service, '#containers?stopped=1');
    await page.getByRole('searchbox').fill(engine);
    const row = page.getByRole('row', { name: new RegExp(engine) });
    await expect(row).toContainText('Running');
    await row.getByRole('button', { name: 'Stop' }).click();
    await expect(row).toContainText('Exited');
    expect(stateOf(engine)).toBe('exited');
    await row.getByRole('button', { name: 'Start' }).click();
    await expect(row).toContainText('Running');
    await row.getByRole('button', { name: 'Restart' }).click();
    await expect(page.getByText(`${engine} was restarted`)).toBeVisible();
    expect(stateOf(engine)).toBe('running');
    await row.getByRole('button', { name: 'Remove' }).click();
    const dialog = page.getByRole('dialog');
    await expect(dialog).toContainText('can only be removed with force');
    const confirm = dialog.getByRole('button', { name: 'Remove' });
    const force = dialog.getByRole('checkbox');
    if ((await force.getAttribute('aria-checked')) !== 'true') await force.click();
    const typed = dialog.getByRole('textbox');
    if (await typed.isVisible()) await typed.fill(engine);
    await confirm.click();
    await expect(row).toHaveCount(0);
    expect(stateOf(engine)).toBeUndefined();
  } finally {
    remove(engine);
  }
});

test('a live log of ten thousand lines: searched, paused, and whole after the service came back', async ({
  stranger: page,
  service,
  context,
}) => {
  const talker = name('talker');
  try {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    const id = create(talker, TALKER);
    await visit(page, service, `#containers/${id}`);
    await expect(page.getByRole('heading', { level: 1, name: talker })).toBeVisible();
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    const lines = page.locator('[data-line]');
    await expect(lines.filter({ hasText: /^line 1\d{4} of many/ }).first()).toBeVisible({ timeout: 60_000 });
    await expect(page.getByText('Live', { exact: true }).last()).toBeVisible();

    await page.getByLabel('Search in the log').fill('line 4321 of');
    await expect(page.getByText(/^[1–]\/1$/)).toBeVisible();
    await page.getByLabel('Search in the log').press('Enter');
    await expect(lines.filter({ hasText: 'line 4321 of many' })).toBeVisible();
    // Who reads is not pulled away, and is told what came.
    await expect(page.getByRole('button', { name: /new lines/ })).toBeVisible();
    await expect(lines.filter({ hasText: 'line 4321 of many' })).toBeVisible();
    await expect(page).toHaveURL(/find=line\+4321\+of/);
    await page.getByLabel('Search in the log').fill('');
    await expect(page).not.toHaveURL(/find=/);

    await service.restart();
    await page.getByRole('button', { name: /new lines/ }).click();
    await expect(page.locator('[data-connection="live"]').first()).toBeVisible({ timeout: 60_000 });
    const last = async () => Number(/line (\d+)/.exec((await lines.last().textContent()) ?? '')?.[1] ?? 0);
    const from = await last();
    await expect.poll(last, { timeout: 60_000 }).toBeGreaterThan(from + 50);

    await page.getByRole('button', { name: 'Stop Streaming' }).click();
    await page.getByRole('button', { name: 'More actions' }).last().click();
    await page.getByRole('menuitem', { name: 'Copy all lines shown' }).click();
    await expect(page.getByText(/lines copied/)).toBeVisible();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    const numbers = [...text.matchAll(/line (\d+) of many/g)].map((found) => Number(found[1]));
    expect(numbers.length).toBeGreaterThan(10_000);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  } finally {
    remove(talker);
  }
});

test.describe('without a daemon', () => {
  test.use({ environment: { AUTOTUNER_DOCKER_HOST: 'unix:///nonexistent/docker.sock' } });

  test('the page says what to do', async ({ stranger: page, service }) => {
    await visit(page, service, '#containers');
    await expect(page.getByText('Failed to load containers. Make sure Docker is running.')).toBeVisible();
  });
});
