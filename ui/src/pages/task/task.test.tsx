import { act, screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { describe, expect, it } from 'vitest';
import { keys } from '@/api/keys';
import type { LiveTask } from '@/api/queries/live';
import check from '@/test/fixtures/check-warnings.json';
import madeCompleted from '@/test/fixtures/experiments-completed.json';
import madeFailed from '@/test/fixtures/experiments-failed.json';
import madeRunning from '@/test/fixtures/experiments-running.json';
import runs from '@/test/fixtures/runs.json';
import cancelled from '@/test/fixtures/task-cancelled.json';
import completed from '@/test/fixtures/task-completed.json';
import failed from '@/test/fixtures/task-failed.json';
import pending from '@/test/fixtures/task-pending.json';
import running from '@/test/fixtures/task-running.json';
import waiting from '@/test/fixtures/task-waiting.json';
import { renderAt } from '@/test/render';
import { answer, startServer } from '@/test/server';
import { TaskPage } from '.';

const server = startServer();

function serve(task: { id: number }, experiments: object[] = []) {
  server.use(
    answer(`/api/tasks/${task.id}`, task as never),
    answer(`/api/experiments/task/${task.id}`, experiments as never, experiments.length),
  );
}

const open = (id: number, part = '') =>
  renderAt(<TaskPage />, {
    at: `/tasks/${id}${part && `/${part}`}`,
    route: part ? '/tasks/$task/$part' : '/tasks/$task',
  });

describe('the overview of a task', () => {
  it('says what a run found out', async () => {
    serve(completed, madeCompleted);
    await open(completed.id);
    const verdict = await screen.findByRole('region', { name: 'Verdict' });
    expect(verdict).toHaveTextContent(completed.verdict.sentence);
    expect(
      within(verdict).getByRole('link', { name: `Experiment ${completed.verdict.best_experiment_number}` }),
    ).toHaveAttribute(
      'href',
      `#tasks/${completed.id}/experiments/${completed.verdict.best_experiment_number}`,
    );
    expect(await screen.findByText('Best parameters')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Restart' })).toBeVisible();
  });

  it('says what went wrong, and what to do', async () => {
    serve(failed, madeFailed);
    await open(failed.id);
    const card = (await screen.findByText('What went wrong')).closest('section');
    const advice = madeFailed.find((experiment) => experiment.advice)?.advice;
    expect(card).toHaveTextContent(advice ?? 'no advice');
    expect(screen.getByRole('link', { name: 'Make a changed copy' })).toHaveAttribute(
      'href',
      `#new-task?from=${failed.id}`,
    );
  });

  it('shows what runs as events tell of it', async () => {
    serve(running, madeRunning);
    server.use(
      answer(`/api/tasks/${running.id}/live`, {
        task_id: running.id,
        task_name: running.task_name,
        status: 'running',
        run: 1,
        waiting_for: null,
        experiments: [
          {
            experiment_id: 3,
            phase: 'benchmarking',
            since: '2026-11-29T07:00:00.000Z',
            waiting_for: null,
            parameters: { 'max-num-seqs': 128 },
            progress: null,
          },
        ],
        planned_experiments: 9,
        planned_replicates: 0,
        done_replicates: 0,
        done_experiments: 2,
        best_score: -1200,
        eta_seconds: 150,
      } satisfies LiveTask),
    );
    const { client } = await open(running.id);
    const now = await screen.findByRole('region', { name: 'Now' });
    expect(await within(now).findByRole('link', { name: 'Experiment 3' })).toBeVisible();
    act(() => {
      client.setQueryData(keys.live(running.id, 3), {
        status: 'warming_up',
        level: 1,
        levels: 2,
        label: 'D(64,32) at concurrency 16',
        completed: 48,
        failed: 0,
        planned: 200,
        ttft: 0.0235,
        tpot: 0.007,
        output_throughput: 791.25,
        at: 0,
      });
    });
    await waitFor(() => expect(now).toHaveTextContent('48 of 200'));
    expect(now).toHaveTextContent('Warming up');
    expect(now).toHaveTextContent('2 of 9 configurations');
    expect(now).toHaveTextContent('about 2m 30s left');
    expect(now).toHaveTextContent('max-num-seqs128');
    expect(now).toHaveTextContent('23.5ms');
    expect(now).toHaveTextContent('D(64,32) at concurrency 16');
  });

  it('says what is waited for', async () => {
    serve(waiting);
    await open(waiting.id);
    expect(await screen.findByText(waiting.waiting_for)).toBeVisible();
  });

  it('says what will run', async () => {
    serve(pending);
    server.use(
      answer(`/api/tasks/${pending.id}/export`, { task_name: pending.task_name }),
      http.post('*/api/tasks/check', () => HttpResponse.json(check)),
    );
    await open(pending.id);
    expect(await screen.findByText(check.warnings[0]?.message ?? '', { exact: false })).toBeVisible();
    expect(screen.getByRole('button', { name: 'Start' })).toBeVisible();
  });

  it('holds for a task of which nothing was made', async () => {
    serve(cancelled);
    await open(cancelled.id);
    expect(await screen.findByText('No experiments yet')).toBeVisible();
  });

  it('leads back where there is no such task', async () => {
    await open(4711);
    expect(await screen.findByRole('heading', { level: 1, name: 'There is no such task' })).toBeVisible();
  });
});

describe('a task', () => {
  it('is described in place', async () => {
    serve(completed, madeCompleted);
    const told: unknown[] = [];
    server.use(
      http.patch('*/api/tasks/:id', async ({ request }) => {
        const body = (await request.json()) as { description: string };
        told.push(body);
        serve({ ...completed, ...body }, madeCompleted);
        return HttpResponse.json({ ...completed, ...body });
      }),
    );
    const { user } = await open(completed.id);
    await user.click(await screen.findByRole('button', { name: /^Edit the description/ }));
    await user.keyboard('another one{Enter}');
    expect(await screen.findByText('another one')).toBeVisible();
    expect(told).toEqual([{ description: 'another one' }]);
  });

  it('compares an earlier run with the current one', async () => {
    serve(completed, madeCompleted);
    const id = completed.id;
    server.use(
      answer(`/api/tasks/${id}/runs`, runs as never),
      answer(`/api/tasks/${id}/runs/1/experiments`, [], 0),
    );
    const { user, address } = await open(id, 'runs');
    await user.click(await screen.findByRole('button', { name: 'Run 1' }));
    expect(address()).toBe(`/tasks/${id}/runs?run=1`);
    expect(await screen.findByText('Against the current run')).toBeVisible();
  });
});
