/**
 * The address of a page is the fragment, written without a slash: `#tasks/12?tab=logs`.
 * `#/tasks/12` is the same page.
 */
import { createBrowserHistory, parseHref, type RouterHistory } from '@tanstack/history';

/** The path that a fragment stands for: always with a slash in front. */
export function pathOfFragment(fragment: string): string {
  return `/${fragment.replace(/^#?\/*/, '')}`;
}

/** The fragment that a path is written as: never with a slash in front. */
export function fragmentOfPath(path: string): string {
  return `#${path.replace(/^\/+/, '')}`;
}

/** History in fragments, on this window. */
export function createFragmentHistory(win: Window = window): RouterHistory {
  return createBrowserHistory({
    window: win,
    parseLocation: () => parseHref(pathOfFragment(win.location.hash), win.history.state),
    createHref: (href) => `${win.location.pathname}${win.location.search}${fragmentOfPath(href)}`,
  });
}
