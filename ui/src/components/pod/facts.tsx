/** Parts of a pod that lists and its own page show alike. */
import { useTranslation } from 'react-i18next';
import type { Pod } from '@/api/queries/pods';
import { bytes, number } from '@/lib/format';
import { Owner } from '../container/facts';

/** The experiment whose engine it runs, as a link where it still is one. */
export function PodOwner({ pod }: { pod: Pod }) {
  const { task_name, task_id, experiment_id, attempt } = pod;
  return <Owner of={{ task_name, task_id, experiment_id, attempt, is_ours: true }} />;
}

/** What it asks of its node. */
export function Asked({ pod: { gpus, cpus, memory_bytes } }: { pod: Pod }) {
  const { t } = useTranslation();
  const parts = [
    gpus > 0 && t('pods.gpus', { count: gpus }),
    typeof cpus === 'number' && t('pods.cpus', { count: cpus, shown: number(cpus, 3) }),
    typeof memory_bytes === 'number' && bytes(memory_bytes),
  ].filter((part) => part !== false);
  if (parts.length === 0) return <span className="text-faint">{t('pods.asksNothing')}</span>;
  return <span className="num">{parts.join(' · ')}</span>;
}

/** What it waits for, or how it ended: nothing where all is as it should be. */
export function reasonOf({ state, why }: Pod): string | undefined {
  return state === 'preparing' ? undefined : (why ?? undefined);
}

/** Since when it is what it is. */
export function sinceOf({ started_at, finished_at, created }: Pod): {
  key: 'up' | 'ended' | 'created';
  at: string | null;
} {
  if (finished_at) return { key: 'ended', at: finished_at };
  if (started_at) return { key: 'up', at: started_at };
  return { key: 'created', at: created ?? null };
}
