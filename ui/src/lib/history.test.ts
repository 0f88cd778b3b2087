import { beforeEach, describe, expect, it } from 'vitest';
import { createFragmentHistory, fragmentOfPath, pathOfFragment } from './history';

describe('fragments', () => {
  it.each([
    ['#tasks', '/tasks'],
    ['#/tasks/12?tab=logs', '/tasks/12?tab=logs'],
    ['tasks', '/tasks'],
    ['', '/'],
    ['#', '/'],
    ['#//x', '/x'],
  ])('%s stands for %s', (fragment, path) => expect(pathOfFragment(fragment)).toBe(path));

  it('are written without a slash', () => {
    expect(fragmentOfPath('/tasks/12?tab=logs')).toBe('#tasks/12?tab=logs');
    expect(fragmentOfPath('/')).toBe('#');
  });
});

describe('history in fragments', () => {
  beforeEach(() => {
    window.location.hash = '#tasks?status=failed';
  });

  it('begins where the window is', () => {
    const { location } = createFragmentHistory();
    expect([location.pathname, location.search]).toEqual(['/tasks', '?status=failed']);
  });

  it('hears of links that are followed', () => {
    const history = createFragmentHistory();
    const seen: string[] = [];
    const stop = history.subscribe(({ location }) => seen.push(location.href));
    window.location.hash = '#tasks/3';
    window.dispatchEvent(new PopStateEvent('popstate'));
    stop();
    expect(seen.at(-1)).toBe('/tasks/3');
  });

  it('writes addresses without a slash', async () => {
    const history = createFragmentHistory();
    history.push('/tasks/7?run=2');
    history.flush();
    expect(window.location.hash).toBe('#tasks/7?run=2');
    expect(history.createHref('/images')).toContain('#images');
  });
});
