export function TaskActions({ task }: { task: { id: number; task_name: string; status: string } }) {
  return <span>{task.status}</span>;
}
