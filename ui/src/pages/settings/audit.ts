/** Which rows of the audit log a question finds, and what they lead to. */
import type { AuditRow } from '@/api/queries/settings';
import { href } from '@/lib/navigate';

/** Rows that hold every word. */
export function found(rows: readonly AuditRow[], question: string): AuditRow[] {
  const words = question.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(({ actor, role, address, action, target, detail }) => {
    const text = [actor, role, address, action, target, detail ? JSON.stringify(detail) : '']
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Where the thing is to which something was done, as far as it has a page. */
export function targetHref(target: string): string | undefined {
  const [, task] = /^task (\d+)$/.exec(target) ?? [];
  if (task) return href.task(Number(task));
  const [, container] = /^container ([0-9a-f]{12,64})$/.exec(target) ?? [];
  if (container) return href.container(container);
  const [, pod] = /^pod ([a-z0-9.-]+)$/.exec(target) ?? [];
  return pod ? href.pod(pod) : undefined;
}
