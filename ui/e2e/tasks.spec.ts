/** The life of a task, by hand. */
import { readFileSync, writeFileSync } from 'node:fs';
import { ended, expect, smallTask, test, visit } from './test';

test.describe('with a mistake', () => {
  test.use({ allowed: { complaints: [/status of 422/] } });

  test('made with a mistake, mended, run, cancelled, restarted', async ({ stranger: page, service }) => {
    await visit(page, service, '#new-task');
    await expect(page.getByRole('heading', { level: 1, name: 'New Task' })).toBeVisible();
    // The document as text is the shortest way to a whole task; the form shows the same.
    const document = smallTask('by-hand', {
      parameters: { 'max-num-seqs': [8, 16, 32, 64] },
      optimization: {
        strategy: 'grid_search',
        objective: 'maximize_throughput',
        max_iterations: 4,
        max_replicates: 0,
        timeout_per_iteration: 60,
        seed: 1,
      },
      benchmark: {
        traffic_scenarios: ['D(32,16)'],
        num_concurrency: [4],
        max_time_per_iteration: 12,
        max_requests_per_iteration: 4000,
        drain_seconds: 3,
      },
    });
    await page.getByRole('link', { name: 'JSON' }).click();
    const editor = page.locator('.cm-content');
    await editor.click();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Delete');
    await page.keyboard.insertText(JSON.stringify(document, null, 2));
    await page.getByRole('link', { name: 'Form', exact: true }).click();
    const name = page.getByLabel(/^Task name/);
    await expect(name).toHaveValue('by-hand');
    // Requests start by a clock, and a rate that is none is told at its field.
    await page.getByRole('combobox', { name: 'How requests start' }).click();
    await page.getByRole('option', { name: /^Poisson/ }).click();
    const rates = page.getByLabel('Rates', { exact: true });
    await rates.fill('0');
    await rates.press('Enter');
    await rates.blur();
    await expect(rates).toHaveAttribute('aria-invalid', 'true');
    await page.getByRole('button', { name: 'Remove 0' }).click();
    await expect(rates).not.toHaveAttribute('aria-invalid', 'true');
    // The mistake: a task without a name.
    await name.fill('');
    await page.getByRole('button', { name: 'Create', exact: true }).click();
    await expect(name).toHaveAttribute('aria-invalid', 'true');
    await expect(page).toHaveURL(/#new-task/);
    await name.fill('by-hand-2');
    await page.getByRole('button', { name: 'Create and start' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'by-hand-2' })).toBeVisible();
    await expect(page.locator('main').getByText('Running', { exact: true }).first()).toBeVisible();
    const made = await service.ask<{ benchmark: Record<string, unknown> }>('GET', '/api/tasks/1');
    expect(made.benchmark).toMatchObject({ arrival: { type: 'poisson', rate: [4] } });
    expect(made.benchmark).not.toHaveProperty('num_concurrency');
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    const question = page.getByRole('alertdialog');
    if (await question.isVisible()) await question.getByRole('button', { name: 'Cancel the task' }).click();
    await expect(page.locator('main').getByText('Cancelled', { exact: true }).first()).toBeVisible();
    // A cancelled task restarts at once.
    await page.getByRole('button', { name: 'Restart', exact: true }).click();
    await expect(page.locator('main').getByText('Pending', { exact: true }).first()).toBeVisible();
    await expect(page.getByRole('alertdialog')).toHaveCount(0);
  });
});

test('a completed task is restarted after a question only', async ({ stranger: page, service }) => {
  const { id } = await service.ask<{ id: number }>('POST', '/api/tasks', smallTask('complete'));
  await service.ask('POST', `/api/tasks/${id}/start`);
  expect(await ended(service, id)).toBe('completed');
  await visit(page, service, '#tasks');
  const row = page.getByRole('row', { name: /complete/ });
  await row.getByRole('button', { name: 'Restart', exact: true }).click();
  const question = page.getByRole('alertdialog');
  await expect(question).toContainText('run history');
  await question.getByRole('button', { name: 'Keep as it is' }).click();
  await expect(row).toContainText('Completed');
  await row.getByRole('button', { name: 'Restart', exact: true }).click();
  await question.getByRole('button', { name: 'Restart' }).click();
  await expect(row).toContainText('Pending');
  await page.goto(`${service.url}/#tasks/${id}/runs`);
  await expect(page.getByText(/Run 1/).first()).toBeVisible();
});

test('a pending task is edited under its own name, and loses nothing', async ({
  stranger: page,
  service,
}) => {
  const made = await service.ask<{ id: number }>(
    'POST',
    '/api/tasks',
    smallTask('to-edit', {
      parameters: {
        'max-num-seqs': { type: 'integer', low: 4, high: 64, log: true },
        'kv-cache-dtype': ['auto', 'fp8'],
        'enforce-eager': [true, false],
      },
    }),
  );
  await visit(page, service, '#tasks');
  await page
    .getByRole('row', { name: /to-edit/ })
    .getByRole('link', { name: 'Edit', exact: true })
    .click();
  await expect(page.getByRole('heading', { level: 1, name: 'Edit Task' })).toBeVisible();
  const description = page.getByLabel('Description', { exact: true });
  await expect(page.getByLabel(/^Task name/)).toHaveValue('to-edit');
  await description.fill('Edited by hand');
  await page.reload();
  // A refresh keeps what was typed.
  await expect(description).toHaveValue('Edited by hand');
  await page.getByRole('button', { name: 'Save Changes' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'to-edit' })).toBeVisible();
  await expect(page).not.toHaveURL(new RegExp(`#tasks/${made.id}(\\D|$)`));
  const tasks = await service.ask<{ id: number; task_name: string; description: string }[]>(
    'GET',
    '/api/tasks',
  );
  expect(tasks.map(({ task_name, description }) => [task_name, description])).toEqual([
    ['to-edit', 'Edited by hand'],
  ]);
  const after = await service.ask<{ parameters: unknown }>('GET', `/api/tasks/${tasks[0]?.id}`);
  expect(after.parameters).toEqual({
    'max-num-seqs': { type: 'integer', low: 4, high: 64, log: true },
    'kv-cache-dtype': ['auto', 'fp8'],
    'enforce-eager': [true, false],
  });
});

test('exported, and imported again', async ({ stranger: page, service }, info) => {
  const { id } = await service.ask<{ id: number }>(
    'POST',
    '/api/tasks',
    smallTask('traveller', { description: 'Goes and comes' }),
  );
  await visit(page, service, '#tasks');
  const row = page.getByRole('row', { name: /traveller/ });
  await row.getByRole('button', { name: /Actions for|More actions/ }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: 'Export as YAML' }).click(),
  ]);
  const file = info.outputPath('traveller.yaml');
  await download.saveAs(file);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/task_name: .*/, 'task_name: came-back'));
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Import' }).click(),
  ]);
  await chooser.setFiles(file);
  await expect(page.getByRole('row', { name: /came-back/ })).toBeVisible();
  const [one, other] = await Promise.all(
    [id, id + 1].map((id) =>
      service.ask<Record<string, unknown>>('GET', `/api/tasks/${id}/export?format=json`),
    ),
  );
  expect({ ...other, task_name: '' }).toEqual({ ...one, task_name: '' });
});

test('a form that was changed asks before it is left', async ({ stranger: page, service }) => {
  await visit(page, service, '#new-task');
  await page.getByLabel('Description', { exact: true }).fill('half a thought');
  await page.getByRole('link', { name: 'Tasks', exact: true }).first().click();
  const question = page.getByRole('alertdialog');
  await expect(question).toBeVisible();
  await question.getByRole('button').first().click();
  await expect(page.getByLabel('Description', { exact: true })).toHaveValue('half a thought');
});
