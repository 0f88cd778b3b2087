/** Parts of a container that lists and its own page show alike. */
import { Link2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Container } from '@/api/queries/containers';
import { href } from '@/lib/navigate';
import { Tip } from '../Tip';

/** Its ports: those of the machine, and where they lead. */
export function Ports({ ports }: { ports: Container['ports'] }) {
  const entries = Object.entries(ports);
  if (entries.length === 0) return <span className="text-faint">–</span>;
  return (
    <span className="num font-mono text-xs">
      {entries.map(([inside, outside]) => (outside ? `${outside} → ${inside}` : inside)).join(', ')}
    </span>
  );
}

/** What tells whose something is. */
export type Owned = Pick<Container, 'task_name' | 'task_id' | 'experiment_id' | 'attempt' | 'is_ours'>;

/** The experiment whose engine it is, as a link where it still is one. */
export function Owner({ of }: { of: Owned }) {
  const { t } = useTranslation();
  const { task_name, task_id, experiment_id, attempt, is_ours } = of;
  if (!task_name) return <span className="text-faint">{is_ours ? t('containers.ours') : '–'}</span>;
  const name = (
    <>
      <span className="truncate">{task_name}</span>
      {typeof experiment_id === 'number' && (
        <span className="num shrink-0 whitespace-nowrap">
          · {t('containers.experiment', { number: experiment_id })}
        </span>
      )}
    </>
  );
  const tip = attempt && attempt > 1 ? t('containers.attempt', { attempt }) : undefined;
  const link =
    typeof task_id === 'number' ? (
      <a
        href={
          typeof experiment_id === 'number' ? href.experiment(task_id, experiment_id) : href.task(task_id)
        }
        className="inline-flex min-w-0 max-w-full items-center gap-1 text-accent hover:underline"
      >
        <Link2 aria-hidden className="size-3.5 shrink-0" />
        {name}
      </a>
    ) : (
      <span className="inline-flex min-w-0 max-w-full items-center gap-1 text-muted">{name}</span>
    );
  return tip ? <Tip text={tip}>{link}</Tip> : link;
}

/** Since when it is what it is. */
export function sinceOf(container: Container): { key: 'up' | 'ended' | 'created'; at: string | null } {
  const { state, started_at, finished_at, created } = container;
  if ((state === 'running' || state === 'paused' || state === 'restarting') && started_at)
    return { key: 'up', at: started_at };
  if (finished_at) return { key: 'ended', at: finished_at };
  return { key: 'created', at: created ?? null };
}
