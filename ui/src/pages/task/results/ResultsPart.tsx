import type { Task } from '@/api/queries/tasks';

export function ResultsPart({ task }: { task: Task }) {
  return <div>{task.task_name}</div>;
}
