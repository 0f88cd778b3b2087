/** The list of containers: what is shown of it, in which order, and what can be done. */

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Container } from '@/api/queries/containers';
import { actionsFor } from '@/components/container/ContainerActions';
import { RemoveDialog } from '@/components/container/RemoveDialog';
import { BulkResults } from './BulkResults';
import { ContainerCards } from './ContainerCards';
import { ContainerTable } from './ContainerTable';
import { filtered, shownOf } from './filter';
import type { Actions } from './useActions';

const BASE: Container = {
  id: 'b582865a24c53b926947b756a4b792573c1c9400a8d140ec9d681e2ff8ba1c97',
  short_id: 'b582865a24c5',
  name: 'autotuner-first-1f2e3d4c-exp3-a1',
  image: 'inference-autotuner/sim-engine:latest',
  status: 'running',
  state: 'running',
  created: '2026-11-29T06:57:09.133781992Z',
  started_at: '2026-11-29T06:57:09.491649097Z',
  finished_at: null,
  ports: { '8000/tcp': '32768' },
  labels: {},
  command: 'sim-engine --host 0.0.0.0\n--port 8000',
  exit_code: null,
  out_of_memory: false,
  error: null,
  restart_count: 0,
  health: null,
  network: 'bridge',
  log_driver: 'json-file',
  has_terminal: false,
  is_ours: true,
  manageable: true,
  task_name: 'first',
  task_id: 7,
  experiment_id: 3,
  attempt: 1,
};
const FOREIGN: Container = {
  ...BASE,
  id: '5a6ddf361f5304e54efcd532feb7f659fd3f3cadf32ae7fca7c126b3194996df',
  short_id: '5a6ddf361f53',
  name: 'postgres',
  image: 'postgres:17',
  state: 'exited',
  status: 'exited',
  exit_code: 137,
  created: '2026-11-28T06:57:09Z',
  finished_at: '2026-11-29T05:00:00Z',
  ports: {},
  command: 'postgres',
  is_ours: false,
  manageable: false,
  task_name: null,
  task_id: null,
  experiment_id: null,
};

function actions(over: Partial<Actions> = {}): Actions {
  return {
    act: vi.fn(),
    actAll: vi.fn(),
    pendingOf: () => undefined,
    isBulkPending: false,
    refusal: 'not made by this service',
    dialogs: null,
    ...over,
  };
}

// What they use is measured elsewhere.
beforeEach(() => {
  vi.stubGlobal('fetch', () => new Promise(() => {}));
});
afterEach(() => vi.unstubAllGlobals());

function show(element: React.ReactElement) {
  const client = new QueryClient();
  return render(<QueryClientProvider client={client}>{element}</QueryClientProvider>);
}

describe('what is shown', () => {
  it('is ours while there are any, and what runs, unless the address says otherwise', () => {
    const all = [BASE, FOREIGN];
    const names = (search: Record<string, string>, of = all) =>
      filtered(of, shownOf(search, of)).map(({ name }) => name);
    expect(names({})).toEqual([BASE.name]);
    expect(names({ owner: 'all' })).toEqual([BASE.name]);
    expect(names({ owner: 'all', stopped: '1' })).toEqual([BASE.name, 'postgres']);
    expect(names({ owner: 'all', state: 'exited' })).toEqual(['postgres']);
    expect(names({ owner: 'all', stopped: '1', sort: 'name', order: 'desc' })).toEqual([
      'postgres',
      BASE.name,
    ]);
    expect(names({ owner: 'all', stopped: '1', q: 'POSTGRES 5a6d' })).toEqual(['postgres']);
    expect(names({ q: 'first exp3' })).toEqual([BASE.name]);
    expect(names({ stopped: '1' }, [FOREIGN])).toEqual(['postgres']);
  });
});

describe('the table', () => {
  it('says what a container is, whose, and what can be done with it', async () => {
    const own = actions();
    show(
      <ContainerTable
        containers={[BASE, FOREIGN]}
        actions={own}
        selected={new Set()}
        onSelect={() => {}}
        shown={shownOf({}, [])}
        onSort={() => {}}
      />,
    );
    const ours = within(screen.getByRole('row', { name: /exp3-a1/ }));
    expect(ours.getByText('Running')).toBeVisible();
    expect(ours.getByRole('link', { name: /first · experiment 3/ })).toHaveAttribute(
      'href',
      '#tasks/7/experiments/3',
    );
    expect(ours.getByText('32768 → 8000/tcp')).toBeVisible();
    expect(ours.getByText('sim-engine --host 0.0.0.0 --port 8000')).toBeVisible();
    await userEvent.click(ours.getByRole('button', { name: 'Stop' }));
    expect(own.act).toHaveBeenCalledWith(BASE, 'stop');
    const foreign = within(screen.getByRole('row', { name: /postgres/ }));
    const start = foreign.getByRole('button', { name: 'Start' });
    expect(start).toHaveAttribute('aria-disabled', 'true');
    expect(start).toHaveAccessibleDescription('not made by this service');
    await userEvent.click(start);
    expect(own.act).toHaveBeenCalledTimes(1);
    expect(foreign.getByText('137')).toBeVisible();
  });

  it('is cards where there is little room', () => {
    show(
      <ContainerCards
        containers={[BASE, FOREIGN]}
        actions={actions()}
        selected={new Set([BASE.id])}
        onSelect={() => {}}
      />,
    );
    expect(screen.getAllByRole('listitem')).toHaveLength(2);
    expect(screen.getByRole('checkbox', { name: /exp3-a1/ })).toBeChecked();
  });
});

describe('actions', () => {
  it.each([
    ['running', 'stop restart pause remove'],
    ['paused', 'unpause stop remove'],
    ['exited', 'start remove'],
    ['created', 'start remove'],
    ['restarting', 'stop restart remove'],
    ['removing', ''],
  ])('of one that is %s', (state, expected) => expect(actionsFor(state).join(' ')).toBe(expected));
});

describe('removing', () => {
  const remove = () => screen.getByRole('button', { name: 'Remove' });

  it('needs force for one that runs', async () => {
    const onRemove = vi.fn();
    render(<RemoveDialog containers={[BASE]} onRemove={onRemove} onClose={() => {}} />);
    expect(remove()).toBeDisabled();
    await userEvent.click(screen.getByRole('checkbox'));
    await userEvent.click(remove());
    expect(onRemove).toHaveBeenCalledWith(true);
  });

  it('needs its name for one that is not ours', async () => {
    const onRemove = vi.fn();
    render(<RemoveDialog containers={[FOREIGN]} onRemove={onRemove} onClose={() => {}} />);
    await userEvent.click(screen.getByRole('checkbox'));
    expect(remove()).toBeDisabled();
    await userEvent.type(screen.getByRole('textbox'), 'postgres');
    await userEvent.click(remove());
    expect(onRemove).toHaveBeenCalledWith(true);
  });

  it('tells of each what came of it', () => {
    render(
      <BulkResults
        names={new Map([['a', 'web']])}
        results={[
          { id: 'a', ok: true, message: 'done', warning: null, error: null },
          {
            id: 'b',
            ok: false,
            message: null,
            warning: null,
            error: { detail: 'Container b not found', code: 'not_found' },
          },
        ]}
      />,
    );
    expect(screen.getByText('web')).toBeVisible();
    expect(screen.getByText('Container b not found')).toBeVisible();
  });
});
