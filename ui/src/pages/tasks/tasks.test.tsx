import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';
import statistics from '@/test/fixtures/db-statistics.json';
import completed from '@/test/fixtures/task-completed.json';
import many from '@/test/fixtures/tasks-many.json';
import { renderAt } from '@/test/render';
import { answer, refuse, startServer } from '@/test/server';
import { TasksPage } from '.';

const server = startServer();
const asked: URLSearchParams[] = [];

/** Answers the list, and keeps what was asked. */
const list = (rows: object[]) =>
  http.get('*/api/tasks', ({ request }) => {
    asked.push(new URL(request.url).searchParams);
    return HttpResponse.json(rows, { headers: { 'X-Total-Count': String(rows.length) } });
  });

beforeEach(() => {
  asked.length = 0;
  server.use(answer('/api/dashboard/db-statistics', statistics), list(many));
});

const row = async (name: string) => {
  const link = await screen.findByRole('link', { name });
  const found = link.closest<HTMLElement>('[data-row-frame]');
  if (!found) throw new Error(`${name} is in no row`);
  return found;
};

const nameOf = (status: string) => many.find((task) => task.status === status)?.task_name ?? status;
const idOf = (status: string) => String(many.find((task) => task.status === status)?.id);

describe('the list of tasks', () => {
  it('shows every task with the controls that it may have', async () => {
    await renderAt(<TasksPage />, { at: '/tasks' });
    for (const task of many) {
      const controls = within(await row(task.task_name));
      expect(controls.queryByRole('button', { name: 'Start' }) !== null).toBe(task.status === 'pending');
      expect(controls.queryByRole('link', { name: 'Edit' }) !== null).toBe(task.status === 'pending');
      expect(controls.queryByRole('button', { name: 'Cancel' }) !== null).toBe(task.status === 'running');
      expect(controls.getByRole('link', { name: 'View logs' })).toHaveAttribute(
        'href',
        `#tasks/${task.id}/logs`,
      );
    }
  });

  it('keeps its order and filters in the address', async () => {
    const { user, address } = await renderAt(<TasksPage />, { at: '/tasks?page=2' });
    await user.click(await screen.findByRole('button', { name: 'Task' }));
    expect(address()).toBe('/tasks?sort=name');
    expect(screen.getByRole('columnheader', { name: 'Task' })).toHaveAttribute('aria-sort', 'ascending');
    await user.click(screen.getByRole('button', { name: /^Failed/ }));
    expect(address()).toBe('/tasks?sort=name&status=failed');
    await waitFor(() => expect(asked.at(-1)?.get('status_filter')).toBe('failed'));
    expect(asked.at(-1)?.get('sort')).toBe('name');
  });

  it('asks before a restart of a completed task, and of no other', async () => {
    const restarted: string[] = [];
    server.use(
      http.post('*/api/tasks/:id/restart', ({ params }) => {
        restarted.push(String(params.id));
        return HttpResponse.json({ ...completed, id: Number(params.id), status: 'pending' });
      }),
    );
    const { user } = await renderAt(<TasksPage />, { at: '/tasks' });
    await user.click(within(await row(nameOf('completed'))).getByRole('button', { name: 'Restart' }));
    const question = await screen.findByRole('alertdialog');
    expect(question).toHaveTextContent('They stay in the run history.');
    await user.click(within(question).getByRole('button', { name: 'Keep as it is' }));
    expect(restarted).toEqual([]);
    await waitFor(() => expect(screen.queryByRole('alertdialog')).toBeNull());
    await user.click(within(await row(nameOf('failed'))).getByRole('button', { name: 'Restart' }));
    await waitFor(() => expect(restarted).toEqual([idOf('failed')]));
    expect(screen.queryByRole('alertdialog')).toBeNull();
  });

  it('is moved through, and selected in, by keys', async () => {
    const { user } = await renderAt(<TasksPage />, { at: '/tasks' });
    const first = await row(many[0]?.task_name ?? '');
    await user.keyboard('jj');
    expect(await row(many[1]?.task_name ?? '')).toContainElement(document.activeElement as HTMLElement);
    await user.keyboard('kx');
    expect(within(first).getByRole('checkbox')).toBeChecked();
    expect(screen.getByRole('region', { name: 'Selected tasks' })).toHaveTextContent('1 selected');
  });

  it('says which of many could not be changed, and why', async () => {
    server.use(
      http.post('*/api/tasks/bulk', async ({ request }) => {
        const { ids } = (await request.json()) as { ids: number[] };
        return HttpResponse.json({
          action: 'delete',
          succeeded: ids.length - 1,
          failed: 1,
          results: ids.map((id, index) =>
            index === 0
              ? { id, ok: false, error: { detail: 'Cannot delete running task.', code: 'running' } }
              : { id, ok: true },
          ),
        });
      }),
    );
    const { user } = await renderAt(<TasksPage />, { at: '/tasks' });
    await user.click(await screen.findByRole('checkbox', { name: 'Select all on this page' }));
    const bar = within(screen.getByRole('region', { name: 'Selected tasks' }));
    await user.click(bar.getByRole('button', { name: /Delete/ }));
    const question = await screen.findByRole('alertdialog');
    await user.click(within(question).getByRole('button', { name: 'Delete' }));
    expect(await screen.findByRole('dialog')).toHaveTextContent('Cannot delete running task.');
  });

  it('says what came of files', async () => {
    server.use(
      http.post('*/api/tasks/import', async ({ request }) =>
        request.headers.get('Content-Type') === 'application/yaml'
          ? HttpResponse.json({
              imported: 1,
              refused: 1,
              results: [
                { index: 0, ok: true, id: 41, task_name: 'good', warnings: [] },
                {
                  index: 1,
                  ok: false,
                  task_name: 'bad',
                  warnings: [],
                  error: {
                    detail: 'The document has a problem',
                    code: 'invalid',
                    problems: [{ path: 'model', message: 'is missing' }],
                  },
                },
              ],
            })
          : HttpResponse.json({ detail: 'no', code: 'no' }, { status: 422 }),
      ),
    );
    const { user } = await renderAt(<TasksPage />, { at: '/tasks' });
    await screen.findByRole('table');
    await user.upload(screen.getByLabelText('Import', { selector: 'input' }), [
      new File(['task_name: good'], 'two.yaml'),
    ]);
    const told = await screen.findByRole('dialog', { name: '1 task imported' });
    expect(within(told).getByRole('link', { name: 'good' })).toHaveAttribute('href', '#tasks/41');
    expect(told).toHaveTextContent('is missing');
  });

  it('offers three ways to the first task', async () => {
    server.use(list([]));
    await renderAt(<TasksPage />, { at: '/tasks' });
    expect(await screen.findByText('No tasks yet')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Run the demo' })).toBeVisible();
    expect(screen.queryByRole('searchbox')).toBeNull();
  });

  it('lets go of filters that nothing matches', async () => {
    server.use(list([]));
    const { user, address } = await renderAt(<TasksPage />, { at: '/tasks?status=failed&q=x&sort=name' });
    await user.click(await screen.findByRole('button', { name: 'Clear filters' }));
    expect(address()).toBe('/tasks?sort=name');
  });

  it('only shows, to whoever may only look', async () => {
    server.use(answer('/api/auth/me', { name: 'v', role: 'viewer' }));
    await renderAt(<TasksPage />, { at: '/tasks' });
    const shown = within(await row(nameOf('completed')));
    expect(shown.getByRole('link', { name: 'View logs' })).toBeVisible();
    expect(shown.queryByRole('button', { name: 'Restart' })).toBeNull();
    expect(screen.queryByRole('checkbox')).toBeNull();
    expect(screen.queryByRole('link', { name: 'New task' })).toBeNull();
  });

  it('says why there is none', async () => {
    server.use(refuse('/api/tasks', 500, 'The database is locked', 'Wait a moment'));
    await renderAt(<TasksPage />, { at: '/tasks' });
    expect(await screen.findByRole('alert')).toHaveTextContent('The database is locked');
  });
});
