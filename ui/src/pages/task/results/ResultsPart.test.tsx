import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { Schemas } from '@/api/client';
import type { Task } from '@/api/queries/tasks';
import best from '@/test/fixtures/experiment-success.json';
import completed from '@/test/fixtures/experiments-completed.json';
import failed from '@/test/fixtures/experiments-failed.json';
import running from '@/test/fixtures/experiments-running.json';
import told from '@/test/fixtures/insight-completed.json';
import taskCompleted from '@/test/fixtures/task-completed.json';
import taskFailed from '@/test/fixtures/task-failed.json';
import taskPending from '@/test/fixtures/task-pending.json';
import taskRunning from '@/test/fixtures/task-running.json';
import { renderAt } from '@/test/render';
import { answer, refuse, startServer } from '@/test/server';
import { ResultsPart } from './ResultsPart';

const server = startServer();
const share = (value: number) => ({ share: value, low: value / 2, high: Math.min(1, value * 1.5) });
const counts = (n: number, good: number) => ({
  n,
  good,
  missed_slo: 0,
  failed: n > good ? [{ kind: 'out_of_memory', n: n - good }] : [],
});
const INSIGHT: Schemas['InsightView'] = {
  ...told,
  parameters: [{ name: 'max-num-seqs', importance: 0.7, low: 0.5, high: 0.9 }],
  note: 'Three experiments tell little.',
  variance: {
    experiments_used: 20,
    effects: [
      { name: 'max-num-seqs', main: share(0.6), total: share(0.64), stands_out: true },
      { name: 'enable-prefix-caching', main: share(0.01), total: share(0.02), stands_out: false },
    ],
    interactions: [
      { first: 'max-num-seqs', second: 'enable-prefix-caching', ...share(0.1), stands_out: true },
    ],
    unexplained: share(0.2),
    note: null,
  },
  feasibility: {
    all: counts(8, 5),
    parameters: [
      {
        name: 'max-num-seqs',
        values: [
          { from: 64, to: 64, counts: counts(4, 4) },
          { from: 128, to: 256, counts: counts(4, 1) },
        ],
      },
    ],
    pairs: [
      {
        first: 'max-num-seqs',
        first_values: [{ from: 64, to: 64 }],
        second: 'enable-prefix-caching',
        second_values: [{ from: true, to: true }],
        cells: [{ first: 0, second: 0, counts: counts(4, 4) }],
      },
    ],
    rules: [
      {
        text: 'max-num-seqs>=128: 3 of 4 out of memory, 0 of 4 elsewhere',
        outcome: 'out_of_memory',
        conditions: [{ name: 'max-num-seqs', relation: '>=', value: 128 }],
        n: 3,
        of: 4,
        n_elsewhere: 0,
        elsewhere: 4,
        experiment_ids: [3, 6, 7],
        alternatives: 1,
      },
    ],
  },
};

async function show(
  task: unknown,
  rows: { id: number }[],
  at = '/tasks/2/results',
  insight: unknown = INSIGHT,
) {
  const { id } = task as Task;
  server.use(
    answer(`/api/experiments/task/${id}`, rows, rows.length),
    answer(`/api/tasks/${id}/runs`, []),
    insight === null
      ? refuse(`/api/tasks/${id}/insight`, 500, 'Insight went wrong', 'look at the log')
      : answer(`/api/tasks/${id}/insight`, insight),
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
  });

  it('tell importance in two ways, and what two parameters do together', async () => {
    const { user, address } = await show(taskCompleted, completed, '/tasks/2/results?view=parameters');
    expect(await screen.findByText(/20% is not explained \(10% – 30%\)/)).toBeVisible();
    expect(screen.getByText('max-num-seqs × enable-prefix-caching')).toBeVisible();
    expect(screen.getByRole('img', { name: 'How much each pair of parameters does together' })).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'What the best have' }));
    expect(address()).toContain('importance=best');
    expect(await screen.findByText('Three experiments tell little.')).toBeVisible();
  });

  it('say that nothing stands out where that is so', async () => {
    const effects = INSIGHT.variance.effects.map((effect) => ({ ...effect, stands_out: false }));
    await show(taskCompleted, completed, '/tasks/2/results?view=parameters', {
      ...INSIGHT,
      variance: { ...INSIGHT.variance, effects, note: 'nothing' },
    });
    expect(await screen.findByText('Nothing stands out: chance alone may show as much.')).toBeVisible();
  });

  it('say what is missing where there are too few experiments', async () => {
    await show(taskCompleted, completed, '/tasks/2/results?view=parameters', told);
    expect(await screen.findByText(told.variance.note ?? '')).toBeVisible();
  });

  it('explain failures by rules, and map what works', async () => {
    const { user } = await show(taskCompleted, completed, '/tasks/2/results?view=failures');
    expect(await screen.findByText('max-num-seqs>=128')).toBeVisible();
    expect(screen.getByText('3 of 4')).toBeVisible();
    expect(screen.getByText(', 0 of 4 elsewhere')).toBeVisible();
    expect(screen.getByText(/1 other rule names the very same experiments/)).toBeVisible();
    const map = screen.getByRole('img', {
      name: 'Share of good experiments over max-num-seqs and enable-prefix-caching',
    });
    expect(map).toBeVisible();
    const values = screen.getByRole('img', { name: 'What became of the values of max-num-seqs' });
    const card = values.closest('section') as HTMLElement;
    await user.click(within(card).getByRole('button', { name: 'Show as table' }));
    expect(within(card).getByText('128 – 256')).toBeVisible();
  });

  it('say what went wrong where insight cannot be told', async () => {
    await show(taskCompleted, completed, '/tasks/2/results?view=failures', null);
    expect(await screen.findByText('Insight went wrong')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible();
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
