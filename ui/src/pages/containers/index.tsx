/** The containers of the daemon: which there are, what they are at, what can be done with them. */
import { useQuery } from '@tanstack/react-query';
import { Box, Images } from 'lucide-react';
import { useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { containerList } from '@/api/queries/containers';
import { Button, buttonClass } from '@/components/Button';
import { DockerFailed } from '@/components/container/NoDocker';
import { Page } from '@/components/Page';
import { Empty, SkeletonRows } from '@/components/States';
import { useAddress } from '@/lib/address';
import { number } from '@/lib/format';
import { href } from '@/lib/navigate';
import { asWord } from '@/lib/search';
import { ContainerCards } from './ContainerCards';
import { ContainerTable } from './ContainerTable';
import { Filters, type Look } from './Filters';
import { filtered, isAlive, type Sort, shownOf } from './filter';
import { Selection } from './Selection';
import { SideBySide } from './SideBySide';
import { Summary } from './Summary';
import { useContainerActions } from './useActions';

/** As many as are drawn unless more are asked for. */
const MOST = 200;

const WIDE = '(min-width: 1100px)';

function useIsWide(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = window.matchMedia(WIDE);
      query.addEventListener('change', listener);
      return () => query.removeEventListener('change', listener);
    },
    () => window.matchMedia(WIDE).matches,
  );
}

export function ContainersPage() {
  const [search] = useAddress();
  const ids = (search.logs ?? '').split(',').filter(Boolean);
  return ids.length > 0 ? <SideBySide ids={ids} /> : <ContainerListPage />;
}

function ContainerListPage() {
  const { t } = useTranslation();
  const [search, setSearch] = useAddress();
  const { data, error, isPending, refetch } = useQuery(containerList);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isAll, setAll] = useState(false);
  const actions = useContainerActions();
  const isWide = useIsWide();
  const containers = data ?? [];
  const shown = shownOf(search, containers);
  const found = filtered(containers, shown);
  const visible = isAll ? found : found.slice(0, MOST);
  const chosen = containers.filter(({ id }) => selected.has(id));
  const look: Look = isWide ? (asWord(search.view, ['table', 'cards'] as const) ?? 'table') : 'cards';
  const select = (ids: readonly string[], isOn: boolean) =>
    setSelected((before) => {
      const after = new Set(before);
      for (const id of ids) isOn ? after.add(id) : after.delete(id);
      return after;
    });
  const sort = (by: Sort) => {
    const isSame = shown.sort === by;
    setSearch({ sort: by, order: isSame ? (shown.order === 'asc' ? 'desc' : 'asc') : undefined });
  };
  const body = error ? (
    <DockerFailed error={error} onRetry={() => void refetch()} />
  ) : isPending ? (
    <SkeletonRows className="card" />
  ) : (
    <>
      <Filters
        shown={shown}
        look={look}
        stopped={containers.filter((container) => !isAlive(container)).length}
        onChange={setSearch}
      />
      {found.length === 0 ? (
        <Nothing
          hasAny={containers.length > 0}
          hidden={containers.length - found.length}
          onAll={() => setSearch({ q: undefined, state: undefined, owner: 'all', stopped: '1' })}
        />
      ) : look === 'table' ? (
        <ContainerTable
          containers={visible}
          actions={actions}
          selected={selected}
          onSelect={select}
          shown={shown}
          onSort={sort}
        />
      ) : (
        <ContainerCards containers={visible} actions={actions} selected={selected} onSelect={select} />
      )}
      {found.length > visible.length && (
        <Button className="mx-auto mt-4 flex" onClick={() => setAll(true)}>
          {t('containers.showAll', { count: found.length, shown: number(found.length, 9) })}
        </Button>
      )}
      <Selection chosen={chosen} actions={actions} onClear={() => setSelected(new Set())} />
    </>
  );
  return (
    <Page
      title={t('nav.containers')}
      description={t('containers.description')}
      actions={
        <a href={href.images()} className={buttonClass()}>
          <Images aria-hidden className="size-4" />
          {t('nav.images')}
        </a>
      }
    >
      {!error && <Summary />}
      {body}
      {actions.dialogs}
    </Page>
  );
}

function Nothing({ hasAny, hidden, onAll }: { hasAny: boolean; hidden: number; onAll: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="card">
      <Empty
        icon={Box}
        title={t('containers.none')}
        text={hasAny ? t('containers.noneShown', { count: hidden }) : t('containers.noneText')}
      >
        {hasAny && <Button onClick={onAll}>{t('containers.showEvery')}</Button>}
      </Empty>
    </div>
  );
}
