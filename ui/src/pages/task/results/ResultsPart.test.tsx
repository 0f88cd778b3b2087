import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { Task } from '@/api/queries/tasks';
import best from '@/test/fixtures/experiment-success.json';
import completed from '@/test/fixtures/experiments-completed.json';
import failed from '@/test/fixtures/experiments-failed.json';
import running from '@/test/fixtures/experiments-running.json';
import taskCompleted from '@/test/fixtures/task-completed.json';
import taskFailed from '@/test/fixtures/task-failed.json';
import taskPending from '@/test/fixtures/task-pending.json';
import taskRunning from '@/test/fixtures/task-running.json';
import { renderAt } from '@/test/render';
import { answer, refuse, startServer } from '@/test/server';
import { ResultsPart } from './ResultsPart';

const server = startServer();
const INSIGHT = {
  task_id: 2,
  run: 1,
  experiments_used: 3,
  parameters: [{ name: 'max-num-seqs', importance: 0.7, low: 0.5, high: 0.9 }],
  slices: [],
  failures: [],
  note: 'Three experiments tell little.',
};

async function show(task: unknown, rows: { id: number }[], at = '/tasks/2/results') {
  const { id } = task as Task;
  server.use(
    answer(`/api/experiments/task/${id}`, rows, rows.length),
    answer(`/api/tasks/${id}/runs`, []),
    answer(`/api/tasks/${id}/insight`, INSIGHT),
    refuse(`/api/tasks/${id}/best`, 404, 'It cannot be told as a container', 'choose another form'),
    ...rows.map((row) => answer(`/api/experiments/${row.id}`, { ...best, ...row })),
  );
  return renderAt(<ResultsPart task={task as Task} />, { at, route: '/tasks/$task/$part' });
}

describe('the results of a task', () => {
  it('say what was found in the service’s words, and what to set', async () => {
    await show(taskCompleted, completed);
    const verdict = await screen.findByRole('region', { name: 'Verdict' });
    expect(within(verdict).getByText(taskCompleted.verdict.sentence)).toBeVisible();
    expect(within(verdict).getByText('+71.2%')).toBeVisible();
    expect(within(verdict).getByText('Measured better, not yet confirmed')).toBeVisible();
    const row = within(verdict).getByRole('rowheader', { name: 'max-num-seqs' }).closest('tr');
    expect(row).toHaveTextContent("128engine's own32, 64, 128, 256");
    expect(within(verdict).getByText('4 of 9')).toBeVisible();
  });

  it('say why a form of the best configuration is refused', async () => {
    await show(taskCompleted, completed);
    expect(await screen.findByText('It cannot be told as a container')).toBeVisible();
    expect(screen.getByText('choose another form')).toBeVisible();
  });

  it('list the experiments, best first, and lead to a comparison', async () => {
    const { user, address } = await show(taskCompleted, completed);
    const table = await screen.findByRole('table', { name: 'Experiments' });
    const numbers = within(table)
      .getAllByRole('row')
      .slice(1)
      .map((row) => within(row).getByRole('link').textContent);
    expect(numbers.slice(0, 4)).toEqual(['#5', '#2', '#1', '#4']);
    await user.click(screen.getByRole('checkbox', { name: 'Select Experiment 5' }));
    await user.click(screen.getByRole('checkbox', { name: 'Select Experiment 1' }));
    expect(address()).toContain('sel=5,1');
    expect(screen.getByRole('link', { name: 'Compare' })).toHaveAttribute('href', '#compare?ids=5,1');
  });

  it('filter by the address, and let go of the filters', async () => {
    const { user } = await show(taskCompleted, completed, '/tasks/2/results?failure=out_of_memory');
    expect(await screen.findByText('1 of 9')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Clear filters' }));
    expect(await screen.findByText('9 experiments')).toBeVisible();
  });

  it('keep in the table what is brushed in the chart', async () => {
    await show(taskCompleted, completed, '/tasks/2/results?view=parameters&brush=max-num-seqs:2:2');
    // The third value of the axis is 128, which two experiments had.
    expect(await screen.findByText('2 of 9')).toBeVisible();
    expect(screen.getByRole('button', { name: '2 kept: show all' })).toBeVisible();
    expect(await screen.findByText('Three experiments tell little.')).toBeVisible();
  });

  it('group failures by kind, with advice', async () => {
    await show(taskCompleted, completed, '/tasks/2/results?view=failures');
    const advice = completed.find((each) => each.failure_kind === 'out_of_memory')?.advice ?? '';
    expect(await screen.findByText(advice)).toBeVisible();
  });

  it('claim no gain where everything failed, and show why it did', async () => {
    await show(taskFailed, failed, '/tasks/3/results');
    expect(await screen.findByText(taskFailed.verdict.sentence)).toBeVisible();
    expect(screen.getByText('none is claimed')).toBeVisible();
    expect(screen.getByRole('link', { name: /Failures/ })).toHaveAttribute('aria-current', 'page');
    expect(screen.queryByText(/ready to run/)).toBeNull();
  });

  it('say while it runs that it goes on', async () => {
    await show(taskRunning, running, '/tasks/5/results');
    expect(await screen.findByText('Updating live')).toBeVisible();
    expect(screen.getByText(/the search goes on/)).toBeVisible();
  });

  it('say what to do where there is nothing yet', async () => {
    await show(taskPending, [], `/tasks/${taskPending.id}/results`);
    expect(await screen.findByText('No results yet')).toBeVisible();
  });
});
