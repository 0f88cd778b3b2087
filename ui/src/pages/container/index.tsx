/** One container: its log, what it uses, and what is known of it. */
import { useQuery } from '@tanstack/react-query';
import { Columns2 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { containerLog } from '@/api/logs';
import { type Container, containerDetail } from '@/api/queries/containers';
import { Badge } from '@/components/Badge';
import { buttonClass } from '@/components/Button';
import { ContainerActions } from '@/components/container/ContainerActions';
import { ContainerState } from '@/components/container/ContainerState';
import { Owner, sinceOf } from '@/components/container/facts';
import { DockerFailed } from '@/components/container/NoDocker';
import { LogView } from '@/components/log';
import { Page } from '@/components/Page';
import { Skeleton } from '@/components/States';
import { TabLinks } from '@/components/Tabs';
import { Time } from '@/components/Time';
import { useAddress, usePathPart } from '@/lib/address';
import { href } from '@/lib/navigate';
import { asWord } from '@/lib/search';
import { isAlive } from '../containers/filter';
import { SideBySide } from '../containers/SideBySide';
import { useContainerActions } from '../containers/useActions';
import { Details } from './Details';
import { Stats } from './Stats';

const TABS = ['logs', 'stats', 'details'] as const;

export function ContainerPage() {
  const id = usePathPart('container') ?? '';
  const [search] = useAddress();
  const others = (search.with ?? '').split(',').filter(Boolean);
  if (others.length > 0) return <SideBySide ids={search.logs?.split(',') ?? [id, ...others]} />;
  return <One key={id} id={id} />;
}

function One({ id }: { id: string }) {
  const { t } = useTranslation();
  const kept = useAddress();
  const [search] = kept;
  const { data: container, error, isPending, refetch } = useQuery(containerDetail(id));
  const actions = useContainerActions();
  const isGone = error instanceof ApiError && error.status === 404;
  const trail = (
    <>
      <a href={href.containers()} className="hover:text-fg hover:underline">
        {t('nav.containers')}
      </a>
      <span aria-hidden>/</span>
      <span className="truncate font-mono">{container?.short_id ?? id.slice(0, 12)}</span>
    </>
  );
  if (isPending) {
    return (
      <Page title={id.slice(0, 40)} trail={trail} isWide>
        <Skeleton className="h-[60dvh] w-full" />
      </Page>
    );
  }
  if (error && !isGone && !container) {
    return (
      <Page title={id.slice(0, 40)} trail={trail}>
        <DockerFailed error={error} onRetry={() => void refetch()} />
      </Page>
    );
  }
  const tab = isGone ? 'logs' : (asWord(search.tab, TABS) ?? 'logs');
  const source = {
    ...containerLog(container?.id ?? id, container?.name ?? id),
    isOver: isGone || (container !== undefined && !isAlive(container)),
  };
  return (
    <Page
      isWide
      title={container?.name ?? id.slice(0, 40)}
      trail={trail}
      badge={
        isGone ? (
          <Badge tone="neutral">{t('containers.removed')}</Badge>
        ) : (
          container && (
            <ContainerState
              state={container.state}
              exitCode={container.exit_code}
              health={container.health}
            />
          )
        )
      }
      description={container && <Line container={container} />}
      actions={
        container &&
        !isGone && (
          <>
            <a
              href={href.containers({ logs: container.short_id })}
              className={buttonClass('ghost')}
              aria-label={t('containers.sideBySide')}
            >
              <Columns2 aria-hidden className="size-4" />
              <span className="max-sm:hidden">{t('containers.sideBySide')}</span>
            </a>
            <ContainerActions
              container={container}
              pending={actions.pendingOf(container.id)}
              refusal={actions.refusal}
              onAction={(action) => actions.act(container, action)}
            />
          </>
        )
      }
    >
      {isGone && (
        <p role="status" className="mb-3 rounded-lg bg-info-soft px-4 py-2 text-info text-sm">
          {t('containers.goneText')}
        </p>
      )}
      {!isGone && (
        <TabLinks
          label={t('containers.parts')}
          active={tab}
          tabs={TABS.map((key) => ({
            key,
            label: t(`containers.tab.${key}`),
            href: href.container(id, key === 'logs' ? {} : { tab: key }),
          }))}
        />
      )}
      {tab === 'logs' ? (
        <LogView
          kept={kept}
          source={source}
          className="h-[max(24rem,calc(100dvh-17rem))] sm:h-[max(24rem,calc(100dvh-12rem))]"
        />
      ) : container && tab === 'stats' ? (
        <Stats container={container} />
      ) : (
        container && <Details container={container} />
      )}
      {actions.dialogs}
    </Page>
  );
}

function Line({ container }: { container: Container }) {
  const { t } = useTranslation();
  const since = sinceOf(container);
  return (
    <span className="flex min-w-0 flex-wrap items-center gap-x-2 text-xs">
      <span className="truncate">{container.image}</span>
      <span aria-hidden>·</span>
      <span>
        {t(`containers.sinceWord.${since.key}`)} <Time at={since.at} />
      </span>
      {container.task_name && (
        <>
          <span aria-hidden>·</span>
          <Owner of={container} />
        </>
      )}
    </span>
  );
}
