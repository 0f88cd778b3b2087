/**
 * Names in the query cache. The first word is what events invalidate by, so that a page never has to
 * know which questions another page asked.
 */
export const keys = {
  me: ['me'],
  system: (what: string) => ['system', what],
  dashboard: (what: string, ...more: unknown[]) => ['dashboard', what, ...more],
  tasks: (params: object = {}) => ['tasks', params],
  task: (id: number, what = 'task', ...more: unknown[]) => ['task', id, what, ...more],
  experiments: (params: object = {}) => ['experiments', params],
  experiment: (id: number) => ['experiment', id],
  containers: (params: object = {}) => ['containers', params],
  container: (id: string, what = 'container') => ['container', id, what],
  pods: () => ['pods'],
  pod: (name: string) => ['pod', name],
  cluster: ['cluster'],
  docker: (what: string) => ['docker', what],
  presets: (params: object = {}) => ['presets', params],
  runtime: (runtime: string, ...more: unknown[]) => ['runtime', runtime, ...more],
  /** A document that is being written, as text: the order of its parameters counts. */
  check: (document: string) => ['check', document],
  tokens: ['tokens'],
  audit: (params: object = {}) => ['audit', params],
  /** What an experiment's benchmark said last; only events write it. */
  live: (task: number, experiment: number) => ['live', task, experiment],
} as const;
