import { describe, expect, it } from 'vitest';
import en from '@/locales/en';
import { GROUPS, isCurrent, isShown } from './navigation';

const all = GROUPS.flatMap(({ destinations }) => destinations);

describe('navigation', () => {
  it('marks exactly one place for an address', () => {
    const at = (path: string) => all.filter((one) => isCurrent(one, path)).map(({ key }) => key);
    expect(at('/tasks/12/experiments/3')).toEqual(['tasks']);
    expect(at('/new-task')).toEqual(['tasks']);
    expect(at('/compare')).toEqual(['experiments']);
    expect(at('/settings/audit')).toEqual(['audit']);
    expect(at('/tasksomething')).toEqual([]);
  });

  it('shows pods where there is a cluster, and what is for admins to them', () => {
    const shown = (isAdmin: boolean, hasCluster: boolean) =>
      all.filter((one) => isShown(one, { isAdmin, hasCluster })).map(({ key }) => key);
    expect(shown(false, false)).not.toContain('pods');
    expect(shown(false, true)).toContain('pods');
    expect(shown(false, true)).not.toContain('tokens');
    expect(shown(true, false)).toContain('tokens');
  });

  it('has a name for each, and no key twice', () => {
    for (const { key } of [...GROUPS, ...all]) expect(en.nav).toHaveProperty(key);
    const shortcuts = all.flatMap(({ shortcut }) => shortcut ?? []);
    expect(new Set(shortcuts).size).toBe(shortcuts.length);
  });
});
