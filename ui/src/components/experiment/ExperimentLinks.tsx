/** Links to a few experiments of a run, and how many more there are. */
import { href } from '@/lib/navigate';

export interface ExperimentLinksProps {
  taskId: number;
  run: number | undefined;
  /** Counted inside the run. */
  numbers: readonly number[];
  /** Most that are listed. */
  most: number;
}

export function ExperimentLinks({ taskId, run, numbers, most }: ExperimentLinksProps) {
  return (
    <span className="flex flex-wrap gap-x-2 gap-y-1 text-xs">
      {numbers.slice(0, most).map((number) => (
        <a
          key={number}
          href={href.experiment(taskId, number, { run })}
          className="num text-accent hover:underline"
        >
          #{number}
        </a>
      ))}
      {numbers.length > most && <span className="text-muted">+{numbers.length - most}</span>}
    </span>
  );
}
