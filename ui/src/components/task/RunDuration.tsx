/** How long a run has taken; of one that goes on, so far. */
import { useNow } from '@/components/Time';
import { duration } from '@/lib/format';

export interface TimedTask {
  status: string;
  started_at?: string | null;
  elapsed_time?: number | null;
}

export function RunDuration({ task, className }: { task: TimedTask; className?: string }) {
  if (task.status === 'running' && task.started_at)
    return <Running since={task.started_at} className={className} />;
  return <span className={className}>{duration(task.elapsed_time)}</span>;
}

function Running({ since, className }: { since: string; className: string | undefined }) {
  const now = useNow();
  const seconds = Math.floor(Math.max(0, now - new Date(since).getTime()) / 1000);
  return <span className={className}>{duration(seconds)}</span>;
}
