/** Which containers are shown, and in which order, as the address says. */
import type { Container } from '@/api/queries/containers';
import { asWord, type Search } from '@/lib/search';

export const SORTS = ['created', 'name', 'state', 'image'] as const;
export type Sort = (typeof SORTS)[number];
export const STATES = ['running', 'paused', 'restarting', 'created', 'exited', 'dead'] as const;

export interface Shown {
  q: string;
  state: string;
  hasStopped: boolean;
  onlyOurs: boolean;
  sort: Sort;
  order: 'asc' | 'desc';
}

/** What runs in some way or other. */
export function isAlive({ state }: Container): boolean {
  return ['running', 'paused', 'restarting'].includes(state);
}

/** Ours only, where there are any and nobody says otherwise. */
export function shownOf(search: Search, containers: readonly Container[]): Shown {
  const state = asWord(search.state, STATES) ?? '';
  const sort = asWord(search.sort, SORTS) ?? 'created';
  return {
    q: search.q ?? '',
    state,
    // Who asks for a state that is none of running ones wants to see those.
    hasStopped: search.stopped === '1' || ['created', 'exited', 'dead'].includes(state),
    onlyOurs:
      search.owner === 'ours' || (search.owner !== 'all' && containers.some(({ is_ours }) => is_ours)),
    sort,
    order: asWord(search.order, ['asc', 'desc'] as const) ?? (sort === 'created' ? 'desc' : 'asc'),
  };
}

export function filtered(containers: readonly Container[], shown: Shown): Container[] {
  const words = shown.q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = containers.filter((container) => {
    if (shown.onlyOurs && !container.is_ours) return false;
    if (shown.state !== '' && container.state !== shown.state) return false;
    if (!shown.hasStopped && !isAlive(container)) return false;
    const { name, image, id, task_name, command } = container;
    const text = `${name}\n${image}\n${id}\n${task_name ?? ''}\n${command}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const key = ({ name, state, image, created }: Container): string => {
    switch (shown.sort) {
      case 'name':
        return name;
      case 'state':
        return `${(STATES as readonly string[]).indexOf(state)}`;
      case 'image':
        return image;
      case 'created':
        return created ?? '';
    }
  };
  const sign = shown.order === 'desc' ? -1 : 1;
  return found.sort((a, b) => sign * key(a).localeCompare(key(b)) || a.name.localeCompare(b.name));
}
