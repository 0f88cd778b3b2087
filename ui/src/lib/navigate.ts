/** Addresses of pages, for links. They are typed by hand nowhere else. */
import { stringifySearch } from './search';

type Params = Record<string, string | number | undefined>;

function to(path: string, search: Params = {}): string {
  return `#${path}${stringifySearch(search)}`;
}

export const href = {
  dashboard: () => to('dashboard'),
  tasks: (search: Params = {}) => to('tasks', search),
  task: (id: number, search: Params = {}) => to(`tasks/${id}`, search),
  /** A part of a task's page: `results`, `logs`, `experiments`, `configuration`, `runs`. */
  taskPart: (id: number, part: string, search: Params = {}) => to(`tasks/${id}/${part}`, search),
  /** `number` counts inside the task. */
  experiment: (task: number, number: number, search: Params = {}) =>
    to(`tasks/${task}/experiments/${number}`, search),
  experiments: (search: Params = {}) => to('experiments', search),
  newTask: (search: Params = {}) => to('new-task', search),
  presets: (search: Params = {}) => to('presets', search),
  containers: (search: Params = {}) => to('containers', search),
  container: (id: string, search: Params = {}) => to(`containers/${id}`, search),
  pods: (search: Params = {}) => to('pods', search),
  pod: (name: string, search: Params = {}) => to(`pods/${name}`, search),
  images: (search: Params = {}) => to('images', search),
  compare: (ids: readonly number[]) => to('compare', { ids: ids.join(',') }),
  settings: (part: 'tokens' | 'audit' | 'defaults', search: Params = {}) => to(`settings/${part}`, search),
};
