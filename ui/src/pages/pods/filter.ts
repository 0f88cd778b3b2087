/** Which pods are shown, and in which order, as the address says. */
import type { Pod } from '@/api/queries/pods';
import { asWord, type Search } from '@/lib/search';

export const SORTS = ['created', 'name', 'state', 'node'] as const;
export type Sort = (typeof SORTS)[number];
export const STATES = ['waiting', 'preparing', 'stuck', 'running', 'ending', 'done', 'failed'] as const;

export interface Shown {
  q: string;
  state: string;
  sort: Sort;
  order: 'asc' | 'desc';
}

export function shownOf(search: Search): Shown {
  const sort = asWord(search.sort, SORTS) ?? 'created';
  return {
    q: search.q ?? '',
    state: asWord(search.state, STATES) ?? '',
    sort,
    order: asWord(search.order, ['asc', 'desc'] as const) ?? (sort === 'created' ? 'desc' : 'asc'),
  };
}

export function filtered(pods: readonly Pod[], shown: Shown): Pod[] {
  const words = shown.q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = pods.filter((pod) => {
    if (shown.state !== '' && pod.state !== shown.state) return false;
    const text = [pod.name, pod.image, pod.node, pod.task_name, pod.why].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const key = (pod: Pod): string => {
    switch (shown.sort) {
      case 'name':
        return pod.name;
      case 'state':
        return `${(STATES as readonly string[]).indexOf(pod.state)}`;
      case 'node':
        return pod.node ?? '';
      case 'created':
        return pod.created ?? '';
    }
  };
  const sign = shown.order === 'desc' ? -1 : 1;
  return found.sort((a, b) => sign * key(a).localeCompare(key(b)) || a.name.localeCompare(b.name));
}
