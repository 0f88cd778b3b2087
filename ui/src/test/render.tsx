/**
 * Renders a component with all that stands around it in the page: the query cache, an address,
 * texts, questions and tooltips. `renderAt(<TasksPage />, { at: '/tasks?status=failed' })`.
 */
import { Tooltip } from '@base-ui/react/tooltip';
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  type RouterHistory,
  RouterProvider,
} from '@tanstack/react-router';
import { act, type RenderResult, render } from '@testing-library/react';
import userEvent, { type UserEvent } from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { Toaster } from 'sonner';
import { createQueryClient } from '@/api/query-client';
import { AskProvider } from '@/components/Dialog';
import { createFragmentHistory } from '@/lib/history';
import { parseSearch, stringifySearch } from '@/lib/search';

export interface RenderOptions {
  /** The address, with a slash in front. */
  at?: string;
  /** The pattern that the address is matched with, for parts of the path: `/tasks/$task`. */
  route?: string;
  /** Keeps the address in the fragment of the window, as the page does, instead of in memory. */
  inFragment?: boolean;
  /** A cache that is filled already. */
  client?: QueryClient;
}

export interface Rendered extends RenderResult {
  user: UserEvent;
  client: QueryClient;
  /** The address as it is now. */
  address: () => string;
  /** Leads to another address. */
  goTo: (address: string) => Promise<void>;
}

/** A cache that asks once and at once, so that a test sees a refusal as it comes. */
export function testClient(): QueryClient {
  const client = createQueryClient();
  client.setDefaultOptions({
    queries: { ...client.getDefaultOptions().queries, retry: false, staleTime: Number.POSITIVE_INFINITY },
  });
  return client;
}

function historyOf({ at = '/', inFragment = false }: RenderOptions): RouterHistory {
  if (!inFragment) return createMemoryHistory({ initialEntries: [at] });
  window.location.hash = at.replace(/^\//, '#');
  return createFragmentHistory();
}

/** Renders at an address; resolves when the first page is there. */
export async function renderAt(node: ReactNode, options: RenderOptions = {}): Promise<Rendered> {
  const client = options.client ?? testClient();
  const history = historyOf(options);
  const root = createRootRoute({ component: Outlet });
  const shown = createRoute({
    getParentRoute: () => root,
    path: options.route ?? '/$',
    component: () => node,
  });
  const home = createRoute({ getParentRoute: () => root, path: '/', component: () => node });
  const router = createRouter({
    routeTree: root.addChildren([home, shown]),
    history,
    parseSearch,
    stringifySearch,
  });
  await router.load();
  const result = render(
    <QueryClientProvider client={client}>
      <Tooltip.Provider>
        <AskProvider>
          <RouterProvider router={router as never} />
          <Toaster />
        </AskProvider>
      </Tooltip.Provider>
    </QueryClientProvider>,
  );
  return {
    ...result,
    client,
    user: userEvent.setup(),
    address: () => router.state.location.href,
    goTo: (address) => act(async () => router.navigate({ href: address } as never)),
  };
}
