/** Somebody who has just started it: from the printed link to a verdict. */
import { expect, test } from './test';

test('the link, the demo, live progress, and what was found', async ({ stranger: page, service }) => {
  // Thirteen experiments of four seconds and more, on a machine that may be slow.
  test.setTimeout(400_000);
  await page.goto(service.link);
  await expect(page).toHaveURL(`${service.url}/#dashboard`);
  await page.getByRole('button', { name: /demo/i }).first().click();
  await expect(page.getByRole('heading', { level: 1, name: 'demo' })).toBeVisible();
  await expect(page.locator('main').getByText('Running', { exact: true }).first()).toBeVisible();
  // What is measured is shown while it is measured.
  await expect(
    page
      .locator('main')
      .getByText(/tok\/s/)
      .first(),
  ).toBeVisible({ timeout: 60_000 });
  await expect(page.getByRole('progressbar').first()).toBeVisible();
  await expect(page.locator('main').getByText('Completed', { exact: true }).first()).toBeVisible({
    timeout: 300_000,
  });
  await expect(
    page.getByText(/more throughput than the engine's defaults|is best|No improvement/).first(),
  ).toBeVisible();
  await page.getByRole('link', { name: 'Results', exact: true }).click();
  await expect(page).toHaveURL(/#tasks\/1\/results/);
  await expect(page.getByText('Best configuration')).toBeVisible();
  await expect(page.locator('main canvas').first()).toBeVisible();
  await expect(page.getByText(/autotuner sim-engine .*--host/)).toBeVisible();
});

test('who is not known is asked for a token', async ({ stranger: page, service }) => {
  await page.goto(`${service.url}/#tasks`);
  const field = page.getByLabel('Access token');
  await expect(field).toBeFocused();
  await field.fill('iat_not-a-token');
  await page.keyboard.press('Enter');
  await expect(page.getByText(/This token is not valid/)).toBeVisible();
  await field.fill(service.token);
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Tasks' })).toBeVisible();
  await expect(page).toHaveURL(/#tasks$/);
  await page.goto(`${service.url}/?token=iat_wrong`);
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible();
  await expect(page).toHaveURL(/#dashboard$/);

  await page.getByRole('button', { name: /Admin/ }).click();
  await page.getByRole('menuitem', { name: 'Log out' }).click();
  await expect(page.getByLabel('Access token')).toBeVisible();
  await expect(page.getByText(/This token is not valid/)).toHaveCount(0);
  await page.goto(`${service.url}/?token=iat_wrong`);
  await expect(page.getByText(/This token is not valid/)).toBeVisible();
});
