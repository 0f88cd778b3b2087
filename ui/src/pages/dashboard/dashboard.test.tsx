import type { QueryClient } from '@tanstack/react-query';
import { act, screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { afterEach, describe, expect, it } from 'vitest';
import { keys } from '@/api/keys';
import gpus from '@/test/fixtures/gpu-status.json';
import noGpus from '@/test/fixtures/gpu-status-none.json';
import host from '@/test/fixtures/host-status.json';
import worker from '@/test/fixtures/worker-status.json';
import { renderAt } from '@/test/render';
import { answer, refuse, startServer } from '@/test/server';
import { DashboardPage } from '.';

const server = startServer();

afterEach(() => {
  window.location.hash = '';
});

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString();

const task = (id: number, task_name: string, status: string, more: object = {}) => ({
  id,
  task_name,
  description: null,
  status,
  base_runtime: 'sim',
  run: 1,
  max_iterations: 12,
  total_experiments: 13,
  successful_experiments: 12,
  best_experiment_id: 9,
  created_at: ago(4000),
  started_at: ago(3900),
  completed_at: status === 'completed' ? ago(600) : null,
  elapsed_time: status === 'completed' ? 56.8 : null,
  is_cancel_requested: false,
  waiting_for: null,
  slo: null,
  ...more,
});

const ROWS = [
  task(3, 'runs now', 'running', { completed_at: null }),
  task(2, 'to be started', 'pending'),
  task(1, 'sim-local', 'completed', { gain_over_defaults: 0.9795, claim: 'gain' }),
];

const experiment = (id: number, more: object = {}) => ({
  id,
  task_id: 1,
  experiment_id: id,
  status: 'success',
  created_at: ago(1000 - id * 10),
  started_at: ago(1000 - id * 10),
  completed_at: ago(995 - id * 10),
  elapsed_time: 5,
  objective_score: -2465.25,
  ...more,
});

const STATISTICS = {
  total_tasks: 3,
  total_experiments: 26,
  tasks_by_status: { pending: 1, running: 1, completed: 1, failed: 0, cancelled: 0 },
  experiments_by_status: { benchmarking: 1, success: 24, failed: 1 },
  tasks_last_24h: 3,
  experiments_last_24h: 26,
  avg_experiment_duration_seconds: 12.34,
  running_tasks: [],
  timestamp: ago(0),
};

const LIVE = {
  tasks: [
    {
      task_id: 3,
      experiments: [
        {
          experiment_id: 7,
          phase: 'deploying',
          since: ago(8),
          waiting_for: null,
          parameters: { 'max-num-seqs': 8 },
          progress: null,
        },
      ],
      planned_experiments: 13,
      planned_replicates: 0,
      done_replicates: 0,
      done_experiments: 6,
      best_score: -4880,
      eta_seconds: 95,
    },
  ],
  queue: [{ task_id: 8, task_name: 'queued', waiting_for: 'waiting for one of 4 running tasks to end' }],
};

/** Answers of a service with some tasks. */
function typical() {
  server.use(
    http.get('*/api/tasks', ({ request }) => {
      const wanted = new URL(request.url).searchParams.get('status_filter');
      const rows = ROWS.filter(({ status }) => wanted === null || status === wanted);
      return HttpResponse.json(rows, { headers: { 'X-Total-Count': String(rows.length) } });
    }),
    answer('/api/tasks/3', {
      ...ROWS[0],
      optimization: { objective: 'maximize_throughput' },
      verdict: { claim: 'gain', gain_over_defaults: 0.52, best_experiment_number: 4, sentence: '' },
    }),
    answer('/api/dashboard/db-statistics', STATISTICS),
    answer('/api/dashboard/worker-status', worker),
    answer('/api/system/health', { status: 'healthy', database: 'ok', worker: 'ok', docker: 'ok' }),
    answer('/api/dashboard/experiment-timeline', [
      experiment(1),
      experiment(2, { status: 'failed', objective_score: null }),
      experiment(3, { task_id: 3, status: 'benchmarking', completed_at: null, elapsed_time: null }),
    ]),
    answer('/api/dashboard/gpu-status', noGpus),
    answer('/api/dashboard/host-status', host),
    answer('/api/live', LIVE),
    answer('/api/experiments', [
      {
        ...experiment(2, { status: 'failed' }),
        failure_kind: 'out_of_memory',
        advice: 'raise gpu-memory-utilization',
      },
    ]),
  );
}

describe('the dashboard', () => {
  it('shows what runs, waits, came and failed', async () => {
    typical();
    await renderAt(<DashboardPage />, { at: '/dashboard' });
    const running = await screen.findByRole('article', { name: 'runs now' });
    expect(within(running).getByText(/6 of 13 experiments/)).toBeVisible();
    expect(await within(running).findByText('about 1m 40s left')).toBeVisible();
    expect(within(running).getByText('Deploying')).toBeVisible();
    expect(await within(running).findByText('4,880 tok/s')).toBeVisible();
    expect(within(running).getByText('+52.0% over the defaults')).toBeVisible();
    expect(screen.getByText('waiting for one of 4 running tasks to end')).toBeVisible();
    expect(screen.getByRole('link', { name: 'to be started' })).toHaveAttribute('href', '#tasks/2');
    expect(await screen.findByText('+98.0%')).toBeVisible();
    expect(await screen.findByRole('link', { name: /^Out of memory/ })).toBeVisible();
    expect(screen.getByText('raise gpu-memory-utilization')).toBeVisible();
    expect(await screen.findByText('20 / 62.5 GB')).toBeVisible();
    expect(screen.queryByText('GPUs')).toBeNull();
    expect(await screen.findByText('Healthy')).toBeVisible();
  });

  it('follows a benchmark by its events', async () => {
    typical();
    const { client } = await renderAt(<DashboardPage />, { at: '/dashboard' });
    const running = await screen.findByRole('article', { name: 'runs now' });
    await within(running).findByText('Deploying');
    act(() =>
      client.setQueryData(keys.live(3, 7), {
        status: 'warming_up',
        level: 1,
        levels: 2,
        label: 'D(64,32) at concurrency 16',
        completed: 120,
        failed: 2,
        planned: 2000,
        in_flight: 16,
        errors: { timeout: 4, '429': 12 },
        ttft: 0.0204,
        ttft_p50: 0.019,
        ttft_p99: 0.0613,
        tpot: 0.0077,
        output_throughput: 479.9,
        at: Date.now(),
      }),
    );
    expect(await within(running).findByText('Warming up')).toBeVisible();
    expect(within(running).getByText('Level 2 of 2')).toBeVisible();
    expect(within(running).getByText(/120 of 2,000 requests/)).toBeVisible();
    expect(within(running).getByText('20.4ms')).toBeVisible();
    expect(within(running).getByText('479.9 tok/s')).toBeVisible();
    expect(within(running).getByText(/16 in flight/)).toBeVisible();
    expect(within(running).getByText('p50 19ms · p99 61.3ms')).toBeVisible();
    expect(within(running).getByText('HTTP 429 × 12')).toBeVisible();
    expect(within(running).getByText('silence × 4')).toBeVisible();
  });

  it('keeps the span of the timeline and its form in the address', async () => {
    typical();
    const { user, address } = await renderAt(<DashboardPage />, { at: '/dashboard' });
    const bar = await screen.findByRole('link', { name: 'Experiment 1 · Success · 5s' });
    expect(bar).toHaveAttribute('href', '#tasks/1/experiments/1');
    await user.click(screen.getByRole('button', { name: '7d' }));
    expect(address()).toBe('/dashboard?span=7d');
    await user.click(screen.getByRole('button', { name: 'Table' }));
    expect(address()).toBe('/dashboard?span=7d&timeline=table');
    const table = within(await screen.findByRole('region', { name: 'Experiment timeline' }));
    expect(table.getByRole('rowheader', { name: /sim-local · Experiment 1/ })).toBeVisible();
  });

  it('leads from bar to bar with the arrows', async () => {
    typical();
    const { user } = await renderAt(<DashboardPage />, { at: '/dashboard?span=1h' });
    await screen.findByRole('link', { name: /Experiment 1 ·/ });
    const bars = [...document.querySelectorAll<HTMLElement>('[data-bar]')];
    expect(bars.filter(({ tabIndex }) => tabIndex === 0)).toHaveLength(1);
    act(() => bars[0]?.focus());
    await user.keyboard('{ArrowDown}');
    expect(document.activeElement).toBe(bars.at(-1));
    await user.keyboard('{ArrowLeft}');
    expect(document.activeElement).toBe(bars.at(-2));
  });

  it('welcomes who has no task, and starts the demo', async () => {
    typical();
    const started: string[] = [];
    let cache: QueryClient | undefined;
    server.use(
      answer('/api/dashboard/db-statistics', { ...STATISTICS, total_tasks: 0 }),
      answer('/api/demo-task', { task_name: 'demo' }),
      http.post('*/api/tasks', () => HttpResponse.json(task(21, 'demo', 'pending'), { status: 201 })),
      http.post('*/api/tasks/21/start', async ({ request }) => {
        started.push(request.url);
        // Events tell of the new task before the answer does, and the guide goes.
        server.use(answer('/api/dashboard/db-statistics', STATISTICS));
        await act(() => cache?.invalidateQueries({ queryKey: ['dashboard'] }));
        await screen.findByRole('article', { name: 'runs now' });
        return HttpResponse.json(task(21, 'demo', 'running'));
      }),
    );
    const { user, client } = await renderAt(<DashboardPage />, { at: '/dashboard' });
    cache = client;
    expect(await screen.findByText('Engines can run in containers.')).toBeVisible();
    expect(await screen.findByText('16 CPU cores')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Run the demo task' }));
    await waitFor(() => expect(started).toHaveLength(1));
    await waitFor(() => expect(window.location.hash).toBe('#tasks/21'));
  });

  it('offers a viewer nothing that they may not do', async () => {
    typical();
    server.use(
      answer('/api/auth/me', { name: 'ann', role: 'viewer' }),
      answer('/api/dashboard/db-statistics', { ...STATISTICS, total_tasks: 0 }),
    );
    await renderAt(<DashboardPage />, { at: '/dashboard' });
    expect(await screen.findByText(/Your role may look at everything/)).toBeVisible();
    expect(screen.queryByRole('button', { name: /demo/i })).toBeNull();
  });

  it('says what is wrong when the service does not answer', async () => {
    typical();
    server.use(refuse('/api/dashboard/db-statistics', 500, 'the database is locked', 'try again'));
    await renderAt(<DashboardPage />, { at: '/dashboard' });
    expect(await screen.findByText('the database is locked')).toBeVisible();
    expect(screen.getByText('try again')).toBeVisible();
  });

  it('gives several GPUs a place of their own', async () => {
    typical();
    server.use(answer('/api/dashboard/gpu-status', gpus));
    await renderAt(<DashboardPage />, { at: '/dashboard' });
    expect(await screen.findByText('1 of 2 free')).toBeVisible();
    const one = screen.getByRole('region', { name: 'GPU 0' });
    expect(within(one).getByText('97%')).toBeVisible();
    expect(within(one).getByText(/30 °C/)).toBeVisible();
    expect(within(one).getByText('20 / 80 GB')).toBeVisible();
  });
});
