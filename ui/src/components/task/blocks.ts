/** One small block for every experiment of a task: those that were made, and those that are planned. */
import type { Block } from '@/api/queries/tasks';
import { hasEnded } from './controls';

export interface Cell {
  /** Counted inside the run. */
  number: number;
  status: string;
  isBest: boolean;
  /** Whether there is such an experiment to look at. */
  isMade: boolean;
}

export interface Cells {
  cells: Cell[];
  /** How many more there are than are drawn. */
  more: number;
}

/** The most blocks that are drawn. */
export const MOST = 50;

/** How many experiments a run comes to: the defaults are measured beside what is searched. */
export function plannedOf(task: {
  status: string;
  max_iterations: number;
  total_experiments: number;
}): number {
  // What a run that has ended did not make, it will not make any more.
  if (hasEnded(task.status) && task.total_experiments > 0) return task.total_experiments;
  return Math.max(task.max_iterations + 1, task.total_experiments);
}

/** The cells of a run; `made` counts all its experiments, of which the blocks are the first. */
export function cellsOf(blocks: readonly Block[], planned: number, made: number, most = MOST): Cells {
  const drawn = Math.min(Math.max(planned, blocks.length), most);
  const cells = Array.from({ length: drawn }, (_, index): Cell => {
    const block = blocks[index];
    if (block)
      return { number: block.experiment_id, status: block.status, isBest: block.is_best, isMade: true };
    return { number: index + 1, status: 'pending', isBest: false, isMade: index < made };
  });
  return { cells, more: Math.max(0, Math.max(planned, blocks.length) - drawn) };
}
