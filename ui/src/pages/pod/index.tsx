/** One pod: its engine's log, what the cluster has noted of it, and what is known of it. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { podLog } from '@/api/logs';
import { podDetail } from '@/api/queries/pods';
import { Badge } from '@/components/Badge';
import { LogView } from '@/components/log';
import { Page } from '@/components/Page';
import { DeleteButton } from '@/components/pod/DeleteButton';
import { PodOwner, reasonOf, sinceOf } from '@/components/pod/facts';
import { ClusterFailed } from '@/components/pod/NoCluster';
import { isOver, PodState } from '@/components/pod/PodState';
import { useDelete } from '@/components/pod/useDelete';
import { Skeleton } from '@/components/States';
import { TabLinks } from '@/components/Tabs';
import { Time } from '@/components/Time';
import { useAddress, usePathPart } from '@/lib/address';
import { href } from '@/lib/navigate';
import { asWord } from '@/lib/search';
import { Details } from './Details';
import { Events } from './Events';

const TABS = ['logs', 'events', 'details'] as const;

export function PodPage() {
  const name = usePathPart('pod') ?? '';
  return <One key={name} name={name} />;
}

function One({ name }: { name: string }) {
  const { t } = useTranslation();
  const kept = useAddress();
  const [search] = kept;
  const { data: pod, error, isPending, refetch } = useQuery(podDetail(name));
  const remove = useDelete();
  const isGone = error instanceof ApiError && error.status === 404;
  const trail = (
    <>
      <a href={href.pods()} className="hover:text-fg hover:underline">
        {t('nav.pods')}
      </a>
      <span aria-hidden>/</span>
      <span className="truncate font-mono">{name}</span>
    </>
  );
  if (isPending)
    return (
      <Page title={name} trail={trail} isWide>
        <Skeleton className="h-[60dvh] w-full" />
      </Page>
    );
  if (!pod)
    return (
      <Page title={name} trail={trail} badge={isGone && <Badge>{t('pods.gone')}</Badge>}>
        {isGone ? (
          <p role="status" className="rounded-lg bg-info-soft px-4 py-2 text-info text-sm">
            {t('pods.unknownText')}
          </p>
        ) : (
          <ClusterFailed error={error} onRetry={() => void refetch()} />
        )}
      </Page>
    );
  const tab = asWord(search.tab, TABS) ?? 'logs';
  const since = sinceOf(pod);
  const reason = reasonOf(pod);
  return (
    <Page
      isWide
      title={name}
      trail={trail}
      badge={isGone ? <Badge>{t('pods.gone')}</Badge> : <PodState pod={pod} />}
      description={
        <span className="flex min-w-0 flex-wrap items-center gap-x-2 text-xs">
          <PodOwner pod={pod} />
          <span aria-hidden>·</span>
          <span className="break-all">{pod.image}</span>
          <span aria-hidden>·</span>
          <span>
            {t(`pods.sinceWord.${since.key}`)} <Time at={since.at} />
          </span>
        </span>
      }
      actions={!isGone && <DeleteButton pod={pod} remove={remove} />}
    >
      {isGone ? (
        <p role="status" className="mb-3 rounded-lg bg-info-soft px-4 py-2 text-info text-sm">
          {t('pods.goneText')}{' '}
          {typeof pod.task_id === 'number' && (
            <a
              href={href.experiment(pod.task_id, pod.experiment_id, { tab: 'logs' })}
              className="font-medium underline"
            >
              {t('pods.experimentLog')}
            </a>
          )}
        </p>
      ) : error ? (
        <p role="alert" className="mb-3 rounded-lg bg-warn-soft px-4 py-2 text-sm text-warn">
          {error.message}
        </p>
      ) : (
        reason && (
          <p role="status" className="mb-3 rounded-lg bg-warn-soft px-4 py-2 text-sm text-warn break-words">
            {reason}
          </p>
        )
      )}
      <TabLinks
        label={t('pods.parts')}
        active={tab}
        tabs={TABS.map((key) => ({
          key,
          label: t(`pods.tab.${key}`),
          href: href.pod(name, key === 'logs' ? {} : { tab: key }),
        }))}
      />
      {tab === 'logs' ? (
        <LogView
          kept={kept}
          source={{ ...podLog(name), isOver: isGone || isOver(pod.state) }}
          className="h-[max(24rem,calc(100dvh-17rem))] sm:h-[max(24rem,calc(100dvh-12rem))]"
        />
      ) : tab === 'events' ? (
        <Events pod={pod} />
      ) : (
        <Details pod={pod} />
      )}
      {remove.dialog}
    </Page>
  );
}
