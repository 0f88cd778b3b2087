/** What can be done with a task, by where it is, and what is lost by it. */
import type { LiveExperiment } from '@/api/queries/live';

/** As much of a task as its controls have to know. */
export interface ControlledTask {
  id: number;
  task_name: string;
  status: string;
  total_experiments?: number;
  successful_experiments?: number;
  started_at?: string | null;
  is_cancel_requested?: boolean;
}

export type TaskControl =
  | 'edit'
  | 'results'
  | 'logs'
  | 'start'
  | 'cancel'
  | 'restart'
  | 'duplicate'
  | 'export'
  | 'clear'
  | 'delete';

const ENDED = new Set(['completed', 'failed', 'cancelled']);

/** Whether a run of the task is over. */
export function hasEnded(status: string): boolean {
  return ENDED.has(status);
}

/** Controls that make sense now, in the order in which they are shown. */
export function controlsOf(task: ControlledTask): TaskControl[] {
  const isRunning = task.status === 'running';
  const isPending = task.status === 'pending';
  const controls: [TaskControl, boolean][] = [
    ['edit', isPending],
    ['results', (task.successful_experiments ?? 0) > 0],
    ['logs', true],
    ['start', isPending],
    ['cancel', isRunning],
    ['restart', hasEnded(task.status)],
    ['duplicate', true],
    ['export', true],
    ['clear', !isRunning && (!isPending || (task.total_experiments ?? 0) > 0)],
    ['delete', !isRunning],
  ];
  return controls.flatMap(([control, applies]) => (applies ? [control] : []));
}

/** So much measuring may be lost without a question, in seconds. */
const LITTLE = 60;

/** For how long the experiments that run have been running, in seconds; together, as all of it is lost. */
export function measuredSeconds(
  live: { experiments: readonly Pick<LiveExperiment, 'since'>[] } | undefined,
  now: number,
): number {
  return (live?.experiments ?? []).reduce((sum, { since }) => {
    const from = new Date(since).getTime();
    return Number.isFinite(from) ? sum + Math.max(0, now - from) / 1000 : sum;
  }, 0);
}

/** Whether a control asks before it does what it says. */
export function mustAsk(control: TaskControl, task: ControlledTask, lostSeconds = 0): boolean {
  switch (control) {
    case 'restart':
      return task.status === 'completed';
    case 'cancel':
      return lostSeconds > LITTLE;
    case 'clear':
    case 'delete':
      return true;
    default:
      return false;
  }
}
