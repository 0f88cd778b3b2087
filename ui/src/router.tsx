/** Which address shows which page. Each page is fetched when it is first shown. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { useEffect } from 'react';
import { useGo } from '@/lib/address';
import { createFragmentHistory } from '@/lib/history';
import { href } from '@/lib/navigate';
import { parseSearch, type Search, stringifySearch } from '@/lib/search';
import { PageFailed, PagePending } from '@/shell/PageStates';
import { Shell } from '@/shell/Shell';

const root = createRootRoute({ component: Shell, notFoundComponent: () => null });

/** Texts of the address as they are; each page reads what it knows. */
const validateSearch = (search: Record<string, unknown>): Search => search as Search;

/** How long is waited before a page that could not be fetched is fetched again. */
const PAUSE = 700;

/** A network that changes under a page fails what is being fetched, and then all is well. */
function patiently<Module>(load: () => Promise<Module>): () => Promise<Module> {
  return () => load().catch(() => new Promise((done) => setTimeout(done, PAUSE)).then(load));
}

function page<const Path extends string>(
  path: Path,
  load: () => Promise<Record<string, unknown>>,
  name: string,
) {
  return createRoute({
    getParentRoute: () => root,
    path,
    validateSearch,
    component: lazyRouteComponent(patiently(load) as () => Promise<Record<string, never>>, name as never),
  });
}

const dashboard = () => import('@/pages/dashboard');
const tasks = () => import('@/pages/tasks');
const task = () => import('@/pages/task');
const experiments = () => import('@/pages/experiments');
const experimentPage = () => import('@/pages/experiment');
const compare = () => import('@/pages/compare');
const newTask = () => import('@/pages/new-task');
const presets = () => import('@/pages/presets');
const containers = () => import('@/pages/containers');
const container = () => import('@/pages/container');
const pods = () => import('@/pages/pods');
const pod = () => import('@/pages/pod');
const images = () => import('@/pages/images');
const settings = () => import('@/pages/settings');

/** Shown only to who is in already: the door stands in the place of every page, and reads its address. */
function In() {
  const go = useGo();
  useEffect(() => go(href.dashboard(), { replace: true }), [go]);
  return null;
}

const routes = root.addChildren([
  createRoute({ getParentRoute: () => root, path: '/login', validateSearch, component: In }),
  createRoute({
    getParentRoute: () => root,
    path: '/',
    beforeLoad: () => {
      throw redirect({ to: '/dashboard', replace: true } as never);
    },
  }),
  page('/dashboard', dashboard, 'DashboardPage'),
  page('/tasks', tasks, 'TasksPage'),
  page('/tasks/$task', task, 'TaskPage'),
  page('/tasks/$task/$part', task, 'TaskPage'),
  page('/tasks/$task/experiments/$number', experimentPage, 'ExperimentPage'),
  page('/experiments', experiments, 'ExperimentsPage'),
  page('/compare', compare, 'ComparePage'),
  page('/new-task', newTask, 'NewTaskPage'),
  page('/presets', presets, 'PresetsPage'),
  page('/containers', containers, 'ContainersPage'),
  page('/containers/$container', container, 'ContainerPage'),
  page('/pods', pods, 'PodsPage'),
  page('/pods/$pod', pod, 'PodPage'),
  page('/images', images, 'ImagesPage'),
  page('/settings/$part', settings, 'SettingsPage'),
  createRoute({
    getParentRoute: () => root,
    path: '/$',
    // An address that is none leads to the dashboard, as it always did.
    beforeLoad: () => {
      throw redirect({ to: '/dashboard', replace: true } as never);
    },
  }),
]);

export const router = createRouter({
  routeTree: routes,
  history: createFragmentHistory(),
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  defaultPendingMs: 150,
  defaultPendingMinMs: 0,
  defaultPendingComponent: PagePending,
  defaultErrorComponent: PageFailed,
  scrollRestoration: true,
});
