import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Json } from '@/components/form/json';
import checkProblems from '@/test/fixtures/check-problems.json';
import checkSound from '@/test/fixtures/check-sound.json';
import presets from '@/test/fixtures/presets.json';
import vllm from '@/test/fixtures/runtime-params-vllm.json';
import pending from '@/test/fixtures/task-pending.json';
import { renderAt } from '@/test/render';
import { answer, startServer } from '@/test/server';
import { NewTaskPage } from '.';
import { withPreset } from './PresetDialog';
import { markedArguments } from './SidePanel';
import { freeName, newDocument, sourceOf } from './source';
import { isSameForm } from './useLeaveGuard';

const server = startServer();

/** One of everything, spelt in ways that a form could spoil. */
const DOCUMENT = {
  task_name: 'chat',
  deployment_mode: 'ome',
  base_runtime: 'vllm',
  model: { name: 'Qwen/Qwen2.5-7B-Instruct', namespace: 'autotuner' },
  parameters: {
    'max-num-seqs': { type: 'categorical', choices: [64, 128] },
    dtype: ['4bit', '2.5.1', '8', 8, true, null, '{"level":3}'],
    'max-num-batched-tokens': { type: 'integer', low: 2048, high: 16384, log: true },
    'enable-prefix-caching': { type: 'bool' },
    'env.OMP_WAIT_POLICY': ['PASSIVE', 'ACTIVE'],
    odd: 3,
  },
  constraints: ['{max-num-batched-tokens} >= 1'],
  optimization: { strategy: 'random', max_iterations: 9, study_name: 'old' },
  benchmark: {
    traffic_scenarios: ['D(512,128)', 'I(1,2)'],
    num_concurrency: [1, '8'],
    additional_params: { temperature: '0.0', stop: ['</s>'], n: null },
    arrival: { type: 'closed' },
    level_weights: [1, 2],
  },
  slo: { ttft: { threshold: 0.5, p99: { threshold: 1 } }, tpot: { threshold: 0.05, percentile: 'p90' } },
  quant_config: { preset: 'default' },
  parallel_config: { tp: 2, dp: [1, 2] },
  engine: { args: ['--x', 1, true], env: { HF_TOKEN: '***', THREADS: 4 } },
  resources: { memory: '8GiB', cpus: 1.5 },
  storage: { type: 'pvc', pvc_name: 'x' },
  future: { kept: [{ deep: true }] },
};

let saved: { path: string; body: Json } | undefined;

function serve(document: Json = DOCUMENT, check: Json = checkSound as Json) {
  server.use(
    answer('/api/dashboard/gpu-status', { available: false, timestamp: '2026-01-01T00:00:00Z' }),
    answer('/api/runtime-params/:runtime', vllm),
    answer('/api/presets', presets),
    answer('/api/tasks', [{ task_name: 'chat-copy' }], 1),
    answer('/api/tasks/12', { ...pending, id: 12, task_name: 'chat' }),
    answer('/api/tasks/12/export', document),
    http.post('*/api/tasks/check', () => HttpResponse.json(check)),
    http.post('*/api/tasks/12/replace', async ({ request }) => {
      saved = { path: 'replace', body: (await request.json()) as Json };
      return HttpResponse.json({ ...pending, id: 13, task_name: 'chat' }, { status: 201 });
    }),
    http.post('*/api/tasks', async ({ request }) => {
      saved = { path: 'create', body: (await request.json()) as Json };
      return HttpResponse.json({ ...pending, id: 14 }, { status: 201 });
    }),
  );
}

beforeEach(() => {
  saved = undefined;
  sessionStorage.clear();
  window.location.hash = '';
});

describe('the form', () => {
  it('shows everything and saves what was not touched as it was', async () => {
    serve();
    const { user } = await renderAt(<NewTaskPage />, { at: '/new-task?edit=12' });
    const description = await screen.findByLabelText('Description');
    expect(screen.getByText('Edit Task', { selector: 'h1' })).toBeVisible();
    expect(screen.getByLabelText(/^Model \*/)).toHaveValue('Qwen/Qwen2.5-7B-Instruct');
    expect(screen.getAllByLabelText('"8", text')[0]).toBeVisible();
    expect(screen.getByLabelText('8, number')).toBeVisible();
    expect(screen.getByLabelText('TPOT, P90')).toBeVisible();
    expect(screen.getByLabelText('Value of HF_TOKEN')).toHaveValue('***');
    expect(screen.getByText('Kept as it is; type to replace it.')).toBeVisible();
    await user.type(description, 'other');
    await user.click(screen.getByText('Save Changes'));
    await waitFor(() => expect(window.location.hash).toBe('#tasks/13'));
    expect(saved).toEqual({ path: 'replace', body: { ...DOCUMENT, description: 'other' } });
    expect(sessionStorage.getItem('task-draft:edit:12')).toBeNull();
  });

  it('takes values as they are typed', async () => {
    serve({ ...DOCUMENT, parameters: {} });
    const { user } = await renderAt(<NewTaskPage />, { at: '/new-task?edit=12' });
    await user.type(await screen.findByLabelText('Add a parameter'), 'my-flag{Enter}');
    const values = await screen.findByLabelText('Values of my-flag');
    await user.type(values, '4bit,2.5.1,"8",8,true,null,{{"a": 1, "b": 2},');
    await user.type(screen.getByLabelText('Configurations at most'), '{Backspace}20');
    await user.click(screen.getByText('Save Changes'));
    await waitFor(() => expect(saved).toBeDefined());
    expect(saved?.body).toMatchObject({
      parameters: { 'my-flag': ['4bit', '2.5.1', '8', 8, true, null, '{"a": 1, "b": 2}'] },
      optimization: { max_iterations: 20, study_name: 'old' },
    });
  });

  it('asks each kind of arrivals what is its own, and keeps what it does not know', async () => {
    serve({
      ...DOCUMENT,
      benchmark: { num_concurrency: [4], arrival: { type: 'gamma', rate: 8, burstiness: 0.5, tide: 1 } },
    });
    const { user } = await renderAt(<NewTaskPage />, { at: '/new-task?edit=12' });
    const section = within(
      (await screen.findByText('Benchmark and workload')).closest('section') as HTMLElement,
    );
    expect(section.getByLabelText('Burstiness')).toHaveValue('0.5');
    expect(section.queryByLabelText('Concurrency levels')).toBeNull();
    await user.type(section.getByLabelText('Rates'), '16{Enter}');
    // The limit is told, and shown, below the heading that holds it.
    expect(section.getByText('Set: In flight at most')).toBeVisible();
    expect(section.getByLabelText('In flight at most')).toBeVisible();
    await user.click(section.getByText('Prompts'));
    await user.click(section.getByText('Prompts share their beginnings'));
    await user.click(screen.getByText('Save Changes'));
    await waitFor(() => expect(saved).toBeDefined());
    expect(saved?.body).toMatchObject({
      benchmark: {
        num_concurrency: [4],
        arrival: { type: 'gamma', rate: [8, 16], burstiness: 0.5, tide: 1 },
        prefix_sharing: { prefix_tokens: 256 },
      },
    });
  });

  it('opens what is folded where something in it is wrong', async () => {
    const told = {
      path: 'benchmark.conversation.turns',
      message: 'is 999; at most 200',
      severity: 'problem',
    };
    serve({ ...DOCUMENT, benchmark: {} }, { ...checkProblems, problems: [told] } as Json);
    await renderAt(<NewTaskPage />, { at: '/new-task?edit=12' });
    expect(await screen.findByLabelText('Data set of prompts')).toBeVisible();
  });

  it('says what is wrong at its field and sums it up', async () => {
    serve(DOCUMENT, checkProblems as Json);
    const { user } = await renderAt(<NewTaskPage />, { at: '/new-task?edit=12' });
    const name = await screen.findByLabelText(/Task name/);
    await waitFor(() => expect(name).toHaveAccessibleDescription(/give the task a name/));
    expect(name).toBeInvalid();
    expect(screen.getByText('5 problems', { selector: 'h2' })).toBeInTheDocument();
    expect(screen.getByText('unknown key "colour"')).toBeInTheDocument();
    await user.click(screen.getByText('Save Changes'));
    await waitFor(() => expect(name).toHaveFocus());
    expect(saved).toBeUndefined();
  });

  it('shows a refusal at its field', async () => {
    serve();
    server.use(
      http.post('*/api/tasks', () =>
        HttpResponse.json({ detail: "Task 'chat' already exists", code: 'name_taken' }, { status: 400 }),
      ),
    );
    const { user } = await renderAt(<NewTaskPage />, { at: '/new-task' });
    const name = await screen.findByLabelText(/Task name/);
    await user.type(name, 'chat');
    await user.keyboard('{Control>}{Enter}{/Control}');
    await waitFor(() => expect(name).toHaveAccessibleDescription(/already exists/));
    await waitFor(() => expect(name).toHaveFocus());
    await user.type(name, 'x');
    await waitFor(() => expect(name).toBeValid());
  });

  it('copies under a free name, and says which secrets it cannot copy', async () => {
    serve();
    await renderAt(<NewTaskPage />, { at: '/new-task?from=12' });
    expect(await screen.findByLabelText(/Task name/)).toHaveValue('chat-copy-2');
    expect(await screen.findAllByText(/stands for a secret of another task/)).not.toHaveLength(0);
  });

  it('keeps a draft over a reload and gives it up when asked', async () => {
    serve();
    const first = await renderAt(<NewTaskPage />, { at: '/new-task?edit=12' });
    await first.user.type(await screen.findByLabelText('Description'), 'draft');
    await waitFor(() => expect(sessionStorage.getItem('task-draft:edit:12')).toContain('draft'));
    first.unmount();
    const { user } = await renderAt(<NewTaskPage />, { at: '/new-task?edit=12' });
    expect(await screen.findByLabelText('Description')).toHaveValue('draft');
    await user.click(screen.getByText('Discard it'));
    expect(screen.getByLabelText('Description')).toHaveValue('');
  });

  it('does not edit what is not pending', async () => {
    serve();
    server.use(answer('/api/tasks/12', { ...pending, id: 12, status: 'completed' }));
    await renderAt(<NewTaskPage />, { at: '/new-task?edit=12' });
    expect(await screen.findByText('This task cannot be edited any more')).toBeVisible();
    expect(screen.getByRole('link', { name: 'Make a copy' })).toHaveAttribute('href', '#new-task?from=12');
  });

  it('says why a task cannot be had', async () => {
    serve();
    server.use(
      http.get('*/api/tasks/12', () =>
        HttpResponse.json({ detail: 'Task 12 not found', code: 'not_found' }, { status: 404 }),
      ),
    );
    await renderAt(<NewTaskPage />, { at: '/new-task?edit=12' });
    expect(await screen.findByText('Task 12 not found')).toBeVisible();
  });
});

describe('around the form', () => {
  it('an address tells the source', () => {
    expect(sourceOf({ edit: '12' })).toEqual({ mode: 'edit', id: 12, key: 'edit:12' });
    expect(sourceOf({ from: '3', tab: 'yaml' })).toEqual({ mode: 'from', id: 3, key: 'from:3' });
    expect(sourceOf({ edit: 'x' }).mode).toBe('new');
    const at = (search: object) => ({ pathname: '/new-task', search });
    expect(isSameForm(at({}), at({ tab: 'yaml' }))).toBe(true);
    expect(isSameForm(at({ edit: '1' }), at({}))).toBe(false);
    expect(isSameForm(at({}), { pathname: '/tasks', search: {} })).toBe(false);
  });

  it('a copy gets a name that is free', async () => {
    const taken = async () => new Set(['a-copy', 'a-copy-2']);
    expect(await freeName('a', taken)).toBe('a-copy-3');
    expect((await freeName('a'.repeat(200), async () => new Set())).length).toBeLessThan(200);
  });

  it('a machine without a GPU begins with the simulated engine', () => {
    expect(newDocument(false, 'docker')).toMatchObject({ base_runtime: 'sim', deployment_mode: 'local' });
    expect(newDocument(true, 'docker')).toMatchObject({ base_runtime: 'vllm', deployment_mode: 'docker' });
  });

  it('presets add what is missing, and replace where that is wanted', () => {
    const own = { 'max-num-seqs': [1], other: [2] };
    const preset = { max_num_seqs: [8], new: [3] };
    expect(withPreset(own, preset, false)).toEqual({ 'max-num-seqs': [1], other: [2], new: [3] });
    expect(withPreset(own, preset, true)).toEqual({ 'max-num-seqs': [8], other: [2], new: [3] });
  });

  it('a command shows what is its own', () => {
    expect(markedArguments('run --a 1 --b 2', 'run --a 1')).toEqual([
      { text: 'run', isOwn: false },
      { text: '--a 1', isOwn: false },
      { text: '--b 2', isOwn: true },
    ]);
    expect(markedArguments('run --a 1', null).some(({ isOwn }) => isOwn)).toBe(false);
  });
});
