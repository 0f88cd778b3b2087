/** Addresses: deep links, back, forward, refresh, and what is none. */
import { expect, smallTask, test, visit } from './test';

test('an address is a page, with and without a slash, and what is none is the dashboard', async ({
  stranger: page,
  service,
}) => {
  await visit(page, service, '#tasks');
  await expect(page.getByRole('heading', { level: 1, name: 'Tasks' })).toBeVisible();
  await expect(page).toHaveTitle(/^Tasks · /);
  await page.goto(`${service.url}/#/containers`);
  await expect(page.getByRole('heading', { level: 1, name: 'Containers' })).toBeVisible();
  await page.goto(`${service.url}/#no-such-page/at-all?x=1`);
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible();
  await expect(page).toHaveURL(/#dashboard$/);
  await page.goto(`${service.url}/`);
  await expect(page.getByRole('heading', { level: 1, name: 'Dashboard' })).toBeVisible();
});

test('back, forward and refresh keep the page and its filters', async ({ stranger: page, service }) => {
  const made = await service.ask<{ id: number }>('POST', '/api/tasks', smallTask('wanderer'));
  await visit(page, service, '#tasks?status=pending&q=wander');
  await expect(page.getByRole('link', { name: 'wanderer' }).first()).toBeVisible();
  await expect(page.getByRole('searchbox')).toHaveValue('wander');
  await page.getByRole('link', { name: 'wanderer' }).first().click();
  await expect(page).toHaveURL(new RegExp(`#tasks/${made.id}$`));
  await expect(page.getByRole('heading', { level: 1, name: 'wanderer' })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/#tasks\?status=pending&q=wander$/);
  await expect(page.getByRole('searchbox')).toHaveValue('wander');
  await page.goForward();
  await expect(page.getByRole('heading', { level: 1, name: 'wanderer' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { level: 1, name: 'wanderer' })).toBeVisible();
  await page.goto(`${service.url}/#tasks?status=failed`);
  await page.reload();
  await expect(page.getByRole('link', { name: 'wanderer' })).toHaveCount(0);
});
