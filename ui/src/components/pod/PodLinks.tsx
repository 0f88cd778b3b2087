/** The pods in which an experiment's engine runs, for as long as they are there. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { podList } from '@/api/queries/pods';
import { href } from '@/lib/navigate';
import { PodState } from './PodState';

export function PodLinks({ task, experiment }: { task: number; experiment: number }) {
  const { t } = useTranslation();
  const { data } = useQuery(podList);
  const pods =
    data?.filter(({ task_id, experiment_id }) => task_id === task && experiment_id === experiment) ?? [];
  if (pods.length === 0) return null;
  return (
    <nav
      aria-label={t('nav.pods')}
      className="-mt-2 mb-3 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs"
    >
      <span className="text-muted">{t('pods.runsIn')}</span>
      {pods.map((pod) => (
        <span key={pod.uid} className="flex min-w-0 items-center gap-1.5">
          <a href={href.pod(pod.name)} className="font-mono text-accent break-all hover:underline">
            {pod.name}
          </a>
          <PodState pod={pod} />
        </span>
      ))}
    </nav>
  );
}
