/** The pods of our experiments in the cluster: which there are, and what they are at. */
import { useQuery } from '@tanstack/react-query';
import { Boxes } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { clusterInfo, podList } from '@/api/queries/pods';
import { Button } from '@/components/Button';
import { SearchInput } from '@/components/Input';
import { Page } from '@/components/Page';
import { ClusterFailed } from '@/components/pod/NoCluster';
import { useDelete } from '@/components/pod/useDelete';
import { Select } from '@/components/Select';
import { Empty, SkeletonRows } from '@/components/States';
import { useAddress } from '@/lib/address';
import { useMedia } from '@/lib/media';
import { filtered, type Sort, STATES, shownOf } from './filter';
import { PodCards } from './PodCards';
import { PodTable } from './PodTable';

export function PodsPage() {
  const { t } = useTranslation();
  const [search, setSearch] = useAddress();
  const { data, error, isPending, refetch } = useQuery(podList);
  const { data: cluster } = useQuery(clusterInfo);
  const remove = useDelete();
  const isWide = useMedia('(min-width: 1100px)');
  const shown = shownOf(search);
  const pods = data ?? [];
  const found = filtered(pods, shown);
  const sort = (by: Sort) => {
    const isSame = shown.sort === by;
    setSearch({ sort: by, order: isSame ? (shown.order === 'asc' ? 'desc' : 'asc') : undefined });
  };
  return (
    <Page
      title={t('nav.pods')}
      description={
        <>
          {t('pods.description')}
          {cluster && (
            <span className="block text-xs break-words">
              {t('pods.cluster', {
                version: cluster.version,
                server: cluster.server,
                namespace: cluster.namespace,
              })}
            </span>
          )}
        </>
      }
    >
      {error ? (
        <ClusterFailed error={error} onRetry={() => void refetch()} />
      ) : isPending ? (
        <SkeletonRows className="card" />
      ) : (
        <>
          <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
            <SearchInput
              label={t('pods.search')}
              value={shown.q}
              onChange={(q) => setSearch({ q })}
              className="w-full sm:w-80"
            />
            <Select
              label={t('pods.stateColumn')}
              value={shown.state === '' ? 'all' : shown.state}
              onChange={(state) => setSearch({ state: state === 'all' ? undefined : state })}
              options={[
                { value: 'all', label: t('pods.anyState') },
                ...STATES.map((value) => ({ value: value as string, label: t(`pods.state.${value}`) })),
              ]}
            />
            <p role="status" className="num ml-auto text-muted text-xs">
              {t('pods.count', { count: found.length })}
            </p>
          </div>
          {found.length === 0 ? (
            <div className="card">
              <Empty
                icon={Boxes}
                title={t(pods.length > 0 ? 'list.nothingFound' : 'pods.none')}
                text={pods.length > 0 ? t('pods.hidden', { count: pods.length }) : t('pods.noneText')}
              >
                {pods.length > 0 && (
                  <Button onClick={() => setSearch({ q: undefined, state: undefined })}>
                    {t('pods.showAll')}
                  </Button>
                )}
              </Empty>
            </div>
          ) : isWide ? (
            <PodTable pods={found} remove={remove} shown={shown} onSort={sort} />
          ) : (
            <PodCards pods={found} remove={remove} />
          )}
        </>
      )}
      {remove.dialog}
    </Page>
  );
}
