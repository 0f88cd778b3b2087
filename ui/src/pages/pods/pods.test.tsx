/** The pods of the cluster: what is shown of them, in which order, and how one is deleted. */
import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { describe, expect, it, vi } from 'vitest';
import type { Pod } from '@/api/queries/pods';
import { PodLinks } from '@/components/pod/PodLinks';
import { PodPage } from '@/pages/pod';
import info from '@/test/fixtures/cluster-info.json';
import away from '@/test/fixtures/error-no-cluster.json';
import needed from '@/test/fixtures/error-pod-needed.json';
import whole from '@/test/fixtures/pod.json';
import list from '@/test/fixtures/pods.json';
import { renderAt } from '@/test/render';
import { answer, refuse, startServer } from '@/test/server';
import { PodsPage } from '.';
import { filtered, shownOf } from './filter';

vi.mock('@/components/log', () => ({
  LogView: ({ source }: { source: { followUrl: string; isOver?: boolean } }) => (
    <output>
      {source.followUrl} {source.isOver ? 'over' : 'goes on'}
    </output>
  ),
}));

const server = startServer();
const PODS = list as Pod[];
const [WAITING, LIVE] = PODS as [Pod, Pod];
const ROUTE = '/pods/$pod';

function wide(isWide: boolean) {
  vi.spyOn(window, 'matchMedia').mockImplementation(
    (query) =>
      ({
        matches: isWide,
        media: query,
        addEventListener: () => {},
        removeEventListener: () => {},
      }) as unknown as MediaQueryList,
  );
}

function serve(pods: Pod[] = PODS) {
  server.use(answer('/api/kubernetes/pods', pods), answer('/api/kubernetes/info', info));
}

describe('what is shown', () => {
  it('is found by every word and by state, in an order', () => {
    const names = (search: Record<string, string>) => filtered(PODS, shownOf(search)).map(({ name }) => name);
    expect(names({})).toEqual([WAITING.name, LIVE.name]);
    expect(names({ sort: 'name' })).toEqual([LIVE.name, WAITING.name]);
    expect(names({ sort: 'state', order: 'desc' })).toEqual([LIVE.name, WAITING.name]);
    expect(names({ state: 'running' })).toEqual([LIVE.name]);
    expect(names({ q: 'NODE-A first' })).toEqual([LIVE.name]);
    expect(names({ q: 'insufficient' })).toEqual([WAITING.name]);
    expect(names({ state: 'no such' })).toHaveLength(2);
  });
});

describe('the list', () => {
  it('says of each what it waits for, whose it is, and what it asks for', async () => {
    wide(true);
    serve();
    const { user, address } = await renderAt(<PodsPage />, { at: '/pods' });
    const live = within(await screen.findByRole('row', { name: new RegExp(LIVE.name) }));
    expect(live.getByText('Running')).toBeVisible();
    expect(live.getByRole('link', { name: /first · experiment 1/ })).toHaveAttribute(
      'href',
      `#tasks/${LIVE.task_id}/experiments/1`,
    );
    expect(live.getByText('2 GPUs · 16 CPUs · 32 GB')).toBeVisible();
    expect(live.getByText('needed by its experiment')).toBeVisible();
    const waiting = within(screen.getByRole('row', { name: new RegExp(WAITING.name) }));
    expect(waiting.getByText(/Insufficient nvidia.com\/gpu/)).toBeVisible();
    expect(screen.getByText(/v1\.33\.1/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: /Sort by Name/ }));
    expect(address()).toBe('/pods?sort=name');
  });

  it('is cards where there is little room', async () => {
    wide(false);
    serve();
    await renderAt(<PodsPage />, { at: '/pods' });
    expect(await screen.findAllByRole('listitem')).toHaveLength(2);
  });

  it('is empty in words, and says what filters hide', async () => {
    wide(true);
    serve([]);
    const { unmount } = await renderAt(<PodsPage />, { at: '/pods' });
    expect(await screen.findByText('No pods')).toBeVisible();
    unmount();
    serve();
    const { user, address } = await renderAt(<PodsPage />, { at: '/pods?q=nothing' });
    await user.click(await screen.findByRole('button', { name: 'Show every pod' }));
    expect(address()).toBe('/pods');
  });

  it('says that the cluster is away, or was never named', async () => {
    const none = {
      code: 'no_cluster',
      detail: 'No Kubernetes cluster is configured',
      hint: 'name a kubeconfig',
    };
    for (const [body, text] of [
      [away, 'The Kubernetes cluster does not answer'],
      [none, 'name a kubeconfig'],
    ] as const) {
      server.use(http.get('*/api/kubernetes/*', () => HttpResponse.json(body, { status: 503 })));
      const { unmount } = await renderAt(<PodsPage />, { at: '/pods' });
      expect(await screen.findByText(text)).toBeVisible();
      unmount();
    }
  });
});

describe('deleting', () => {
  it('asks whether it is meant where an experiment needs the pod, and then says so to the service', async () => {
    wide(true);
    serve();
    const asked: string[] = [];
    server.use(
      http.delete('*/api/kubernetes/pods/:name', ({ request }) => {
        const url = new URL(request.url);
        asked.push(`${url.pathname.split('/').at(-1)}${url.search}`);
        return HttpResponse.json({ message: 'deleted', warning: 'the attempt is lost and made again' });
      }),
    );
    const { user } = await renderAt(<PodsPage />, { at: '/pods' });
    const row = within(await screen.findByRole('row', { name: new RegExp(LIVE.name) }));
    await user.click(row.getByRole('button', { name: 'Delete' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.getByText(/Experiment 1 of first needs this pod/)).toBeVisible();
    const confirm = dialog.getByRole('button', { name: 'Delete' });
    expect(confirm).toBeDisabled();
    await user.click(dialog.getByRole('checkbox', { name: 'Delete it all the same' }));
    await user.click(confirm);
    await waitFor(() => expect(asked).toEqual([`${LIVE.name}?force=true`]));
    expect(await screen.findByText('the attempt is lost and made again')).toBeVisible();
  });

  it('asks once of a pod that nobody needs, and passes on a refusal', async () => {
    wide(true);
    serve([{ ...LIVE, is_needed: false }]);
    server.use(http.delete('*/api/kubernetes/pods/:name', () => HttpResponse.json(needed, { status: 409 })));
    const { user } = await renderAt(<PodsPage />, { at: '/pods' });
    await user.click(await screen.findByRole('button', { name: 'Delete' }));
    const dialog = within(await screen.findByRole('dialog'));
    expect(dialog.queryByRole('checkbox')).toBeNull();
    await user.click(dialog.getByRole('button', { name: 'Delete' }));
    expect(await screen.findByText(new RegExp(needed.detail.slice(0, 30)))).toBeVisible();
  });

  it('is not for who only looks', async () => {
    wide(true);
    serve([{ ...LIVE, manageable: false }]);
    const { user } = await renderAt(<PodsPage />, { at: '/pods' });
    const button = await screen.findByRole('button', { name: 'Delete' });
    expect(button).toHaveAttribute('aria-disabled', 'true');
    await user.click(button);
    expect(screen.queryByRole('dialog')).toBeNull();
  });
});

describe('the page of a pod', () => {
  it('shows its log, what the cluster has noted, and its containers', async () => {
    server.use(answer(`/api/kubernetes/pods/${LIVE.name}`, whole));
    const { goTo } = await renderAt(<PodPage />, { at: `/pods/${LIVE.name}`, route: ROUTE });
    expect(await screen.findByText(/kubernetes\/pods\/at-first.*follow=true.*goes on/)).toBeVisible();
    await goTo(`/pods/${LIVE.name}?tab=events`);
    const events = within(await screen.findByRole('list', { name: 'Events' }));
    expect(events.getByText('FailedScheduling')).toBeVisible();
    expect(events.getByText('2 times')).toBeVisible();
    expect(events.getAllByText('Warning')).toHaveLength(1);
    await goTo(`/pods/${LIVE.name}?tab=details`);
    expect(await screen.findByText('runs before the others')).toBeVisible();
    expect(screen.getByText('PodScheduled')).toBeVisible();
  });

  it('says why there are no events where they may not be seen', async () => {
    const blind = { ...whole, events: [], without_events: 'events is forbidden' };
    server.use(answer(`/api/kubernetes/pods/${LIVE.name}`, blind));
    await renderAt(<PodPage />, { at: `/pods/${LIVE.name}?tab=events`, route: ROUTE });
    expect(await screen.findByText('events is forbidden')).toBeVisible();
  });

  it('says so where there is no such pod', async () => {
    server.use(refuse('/api/kubernetes/pods/gone', 404, 'Pod gone not found'));
    await renderAt(<PodPage />, { at: '/pods/gone', route: ROUTE });
    expect(await screen.findByText(/There is no such pod/)).toBeVisible();
  });
});

describe('the way from an experiment', () => {
  it('leads to its pods and to no others', async () => {
    serve();
    await renderAt(<PodLinks task={LIVE.task_id ?? 0} experiment={1} />);
    const link = await screen.findByRole('link', { name: LIVE.name });
    expect(link).toHaveAttribute('href', `#pods/${LIVE.name}`);
    expect(screen.getAllByRole('link')).toHaveLength(1);
  });
});
