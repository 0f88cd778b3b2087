/** What the list of tasks shows, as its address says it. */
import { TASK_STATUSES, type TaskListParams, type TaskStatus } from '@/api/queries/tasks';
import { asNumber, asText, asWord, type Search } from '@/lib/search';

export const SORTS = ['created', 'name', 'status', 'started', 'completed', 'elapsed', 'experiments'] as const;
export type Sort = (typeof SORTS)[number];
export type Order = 'asc' | 'desc';

export const SIZES = [25, 50, 100] as const;

export interface ListView {
  statuses: TaskStatus[];
  q: string;
  runtime: string | undefined;
  sort: Sort;
  order: Order;
  /** From 1. */
  page: number;
  size: number;
}

/** The order in which a column is first shown. */
function naturalOrder(sort: Sort): Order {
  return sort === 'name' || sort === 'status' ? 'asc' : 'desc';
}

/** What the address says; what it says wrongly is as if it were not there. */
export function readView(search: Search): ListView {
  const sort = asWord(search.sort, SORTS) ?? 'created';
  const size = asNumber(search.size);
  return {
    statuses: TASK_STATUSES.filter((status) => search.status?.split(',').includes(status)),
    q: asText(search.q) ?? '',
    runtime: asText(search.runtime),
    sort,
    order: asWord(search.order, ['asc', 'desc'] as const) ?? naturalOrder(sort),
    page: asNumber(search.page) ?? 1,
    size: SIZES.find((choice) => choice === size) ?? SIZES[0],
  };
}

/** What the service is asked for. */
export function paramsOf(view: ListView): TaskListParams {
  return {
    skip: (view.page - 1) * view.size,
    limit: view.size,
    blocks: true,
    sort: view.sort,
    order: view.order,
    ...(view.statuses.length > 0 && { status_filter: view.statuses.join(',') }),
    ...(view.q && { q: view.q }),
    ...(view.runtime && { runtime: view.runtime }),
  };
}

/** Whether some tasks are left out on purpose. */
export function isFiltered({ statuses, q, runtime }: ListView): boolean {
  return statuses.length > 0 || q !== '' || runtime !== undefined;
}

type Change = Record<string, string | number | undefined>;

/** What the address says when a column's head was pressed: another column, or the other way round. */
export function sortedBy(view: ListView, sort: Sort): Change {
  const order = view.sort === sort ? (view.order === 'asc' ? 'desc' : 'asc') : naturalOrder(sort);
  return {
    sort: sort === 'created' ? undefined : sort,
    order: order === naturalOrder(sort) ? undefined : order,
    page: undefined,
  };
}

/** What it says when a status was pressed: shown beside the others, or not any more. */
export function withStatus(view: ListView, status: TaskStatus | undefined): Change {
  const wanted =
    status === undefined
      ? []
      : TASK_STATUSES.filter((word) => view.statuses.includes(word) !== (word === status));
  return {
    status: wanted.length === TASK_STATUSES.length ? undefined : wanted.join(','),
    page: undefined,
  };
}
