import { screen, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { ComparePage } from '@/pages/compare';
import { ExperimentsPage } from '@/pages/experiments';
import baseline from '@/test/fixtures/experiment-baseline.json';
import broken from '@/test/fixtures/experiment-failed.json';
import success from '@/test/fixtures/experiment-success.json';
import rows from '@/test/fixtures/experiments-completed.json';
import task from '@/test/fixtures/task-completed.json';
import { renderAt } from '@/test/render';
import { answer, refuse, startServer } from '@/test/server';
import { ExperimentPage } from '.';
import { quoted } from './EnginePart';

vi.mock('@/components/log', () => ({
  LogView: ({ source }: { source: { followUrl: string } }) => <output>{source.followUrl}</output>,
}));

const server = startServer();
const ROUTE = '/tasks/$task/experiments/$number';

function serve(extra: Parameters<typeof server.use> = []) {
  server.use(
    ...extra,
    answer('/api/tasks/2', task),
    answer('/api/experiments/task/2', rows, rows.length),
    ...[baseline, broken, success].map((each) => answer(`/api/experiments/${each.id}`, each)),
  );
}

describe('the page of an experiment', () => {
  it('shows what was measured, against the defaults, level by level', async () => {
    serve();
    await renderAt(<ExperimentPage />, {
      at: `/tasks/2/experiments/${success.experiment_id}`,
      route: ROUTE,
    });
    expect(await screen.findByRole('table', { name: 'Level by level' })).toBeVisible();
    expect(screen.getByText('Against the defaults').parentElement).toHaveTextContent(/[+-]\d/);
    expect(screen.getByRole('link', { name: 'Previous experiment' })).toBeVisible();
  });

  it('tells why it failed, what to do, and the last words of the engine', async () => {
    serve();
    await renderAt(<ExperimentPage />, { at: `/tasks/2/experiments/${broken.experiment_id}`, route: ROUTE });
    expect(await screen.findByText('Why it failed')).toBeVisible();
    expect(screen.getByText(broken.advice)).toBeVisible();
    expect(screen.getByText(broken.log_tail.at(-1) ?? '')).toBeVisible();
    expect(screen.getByRole('link', { name: 'The whole engine log' })).toHaveAttribute(
      'href',
      `#tasks/2/experiments/${broken.experiment_id}?tab=logs`,
    );
  });

  it('shows the effective command, and the log of the engine', async () => {
    serve();
    const { goTo } = await renderAt(<ExperimentPage />, {
      at: `/tasks/2/experiments/${success.experiment_id}?tab=engine`,
      route: ROUTE,
    });
    expect(await screen.findByText(success.effective_arguments.map(quoted).join(' '))).toBeVisible();
    await goTo(`/tasks/2/experiments/${success.experiment_id}?tab=logs`);
    expect(await screen.findByText(/experiments\/\d+\/logs\?follow=true/)).toBeVisible();
  });

  it('says so where there is no such experiment', async () => {
    serve();
    await renderAt(<ExperimentPage />, { at: '/tasks/2/experiments/77', route: ROUTE });
    expect(await screen.findByText('There is no experiment 77 in this task')).toBeVisible();
  });

  it('writes words as a shell needs them', () => {
    expect(['--port=8', 'a b', "it's", ''].map(quoted)).toEqual(['--port=8', "'a b'", "'it'\\''s'", "''"]);
  });
});

describe('the comparison', () => {
  it('marks what differs and the best of each row, and can leave out what is the same', async () => {
    serve();
    const { user, address } = await renderAt(<ComparePage />, {
      at: `/compare?ids=${success.id},${baseline.id}`,
    });
    const table = await screen.findByRole('table', { name: 'Compare experiments' });
    expect(within(table).getAllByRole('img', { name: 'best of these' }).length).toBeGreaterThan(0);
    expect(within(table).getAllByText('(differs)').length).toBe(Object.keys(success.parameters).length);
    await user.click(screen.getByRole('switch', { name: 'Only differences' }));
    expect(address()).toContain('only=different');
    await user.click(screen.getByRole('button', { name: 'Compare against this one' }));
    expect(address()).toContain(`ids=${baseline.id},${success.id}`);
  });

  it('says which ids are unknown, and lets go of them', async () => {
    serve([refuse('/api/experiments/999', 404, 'Experiment 999 not found')]);
    const { user, address } = await renderAt(<ComparePage />, { at: `/compare?ids=${success.id},999` });
    expect(await screen.findByText(/no experiment with the id 999/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Remove' }));
    expect(address()).toBe(`/compare?ids=${success.id}`);
    expect(await screen.findByText('Add one more to compare with.')).toBeVisible();
  });

  it('says what to do where nothing is chosen', async () => {
    await renderAt(<ComparePage />, { at: '/compare' });
    expect(await screen.findByText('Nothing to compare yet')).toBeVisible();
  });
});

describe('all experiments', () => {
  it('ask the service for what the address says', async () => {
    const asked: string[] = [];
    server.events.on('request:start', ({ request }) => asked.push(new URL(request.url).search));
    server.use(answer('/api/experiments', rows, 120), answer('/api/tasks', [], 0));
    const { user, address } = await renderAt(<ExperimentsPage />, {
      at: '/experiments?task=2&status=failed&q=seqs&sort=score&page=2',
    });
    expect(await screen.findByText('51–100 of 120')).toBeVisible();
    const query = asked.find((search) => search.includes('brief'));
    for (const part of ['skip=50', 'task_id=2', 'status=failed', 'q=seqs', 'sort=score'])
      expect(query).toContain(part);
    await user.click(screen.getByRole('button', { name: 'Next page' }));
    expect(address()).toContain('page=3');
  });
});

describe('how far figures can be trusted', () => {
  type Raw = Record<string, unknown>;
  const levels = success.metrics.raw_results as unknown as Raw[];

  /** The experiment with a first level that says these things. */
  const withLevel = (parts: Raw) => ({
    ...success,
    metrics: { ...success.metrics, raw_results: [{ ...levels[0], ...parts }, ...levels.slice(1)] },
  });

  it('is told in words at the level, and over time', async () => {
    const steady = { is_steady: false, throughput_drift: -0.08, ttft_drift: 0.3, slices: 20 };
    serve([answer(`/api/experiments/${success.id}`, withLevel({ steady }))]);
    await renderAt(<ExperimentPage />, {
      at: `/tasks/2/experiments/${success.experiment_id}`,
      route: ROUTE,
    });
    expect(await screen.findByText('How far to trust the figures')).toBeVisible();
    expect(
      screen.getByText(/throughput changed by -8.0%, TTFT by \+30.0%/, { selector: 'li *' }),
    ).toBeVisible();
    expect(screen.getAllByText('Unsteady').length).toBeGreaterThan(1);
    expect(screen.getByText('Over time')).toBeVisible();
  });

  it('is left out where older results say nothing of it', async () => {
    const gone = ['confidence', 'steady', 'trust', 'engine_metrics', 'time_series', 'schedule'];
    const old = (raw: Raw) => Object.fromEntries(Object.entries(raw).filter(([key]) => !gone.includes(key)));
    const { confidence: _, ...metrics } = success.metrics as Raw;
    const older = { ...success, metrics: { ...metrics, raw_results: levels.map(old) } };
    serve([answer(`/api/experiments/${success.id}`, older)]);
    await renderAt(<ExperimentPage />, {
      at: `/tasks/2/experiments/${success.experiment_id}`,
      route: ROUTE,
    });
    expect(await screen.findByRole('table', { name: 'Level by level' })).toBeVisible();
    expect(screen.queryByText('How far to trust the figures')).toBeNull();
    expect(screen.queryByText('Over time')).toBeNull();
    expect(screen.queryByText(/95 %/)).toBeNull();
  });
});
