/** The logs of up to four containers beside one another; which ones is in the address. */
import { useQuery } from '@tanstack/react-query';
import { Plus, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { containerLog } from '@/api/logs';
import { containerDetail, containerList } from '@/api/queries/containers';
import { buttonClass, IconButton } from '@/components/Button';
import { ContainerState } from '@/components/container/ContainerState';
import { LogView } from '@/components/log';
import { Menu } from '@/components/Menu';
import { Page } from '@/components/Page';
import { Skeleton } from '@/components/States';
import { useAddress } from '@/lib/address';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import { isAlive } from './filter';
import { MOST_LOGS } from './Selection';

export function SideBySide({ ids }: { ids: readonly string[] }) {
  const { t } = useTranslation();
  const [, setSearch] = useAddress();
  const { data = [] } = useQuery(containerList);
  const shown = [...new Set(ids)].slice(0, MOST_LOGS);
  const others = data.filter(({ id, name }) => !shown.some((own) => id.startsWith(own) || own === name));
  const set = (next: readonly string[]) => setSearch({ logs: next.join(',') }, true);
  return (
    <Page
      isWide
      title={t('containers.logsOf', { count: shown.length })}
      trail={
        <>
          <a href={href.containers()} className="hover:text-fg hover:underline">
            {t('nav.containers')}
          </a>
          <span aria-hidden>/</span>
        </>
      }
      actions={
        shown.length < MOST_LOGS && others.length > 0 ? (
          <Menu
            trigger={
              <button type="button" className={buttonClass()}>
                <Plus aria-hidden className="size-4" />
                {t('containers.addLog')}
              </button>
            }
            entries={others
              .toSorted((a, b) => Number(isAlive(b)) - Number(isAlive(a)))
              .slice(0, 50)
              .map(({ id, short_id, name, state }) => ({
                label: name || id,
                hint: t(`containers.state.${state}`, { defaultValue: state }),
                onSelect: () => set([...shown, short_id]),
              }))}
          />
        ) : undefined
      }
    >
      <div className={cx('grid gap-3', shown.length > 1 && 'lg:grid-cols-2')}>
        {shown.map((id, index) => (
          <One
            key={id}
            id={id}
            onClose={() => set(shown.filter((other) => other !== id))}
            className={cx(
              'h-[60dvh]',
              shown.length > 2
                ? 'lg:h-[max(18rem,calc((100dvh-8.5rem)/2))]'
                : 'lg:h-[max(24rem,calc(100dvh-8rem))]',
              shown.length === 3 && index === 2 && 'lg:col-span-2',
            )}
          />
        ))}
      </div>
    </Page>
  );
}

function One({ id, onClose, className }: { id: string; onClose: () => void; className: string }) {
  const { t } = useTranslation();
  const { data, isPending } = useQuery(containerDetail(id));
  if (isPending) return <Skeleton className={className} />;
  const source = {
    ...containerLog(data?.id ?? id, data?.name ?? id),
    isOver: data ? !isAlive(data) : true,
  };
  return (
    <LogView
      source={source}
      className={className}
      title={
        <span className="flex min-w-24 flex-1 items-center gap-2">
          <a
            href={href.container(id)}
            className="min-w-0 truncate font-semibold text-sm hover:text-accent hover:underline"
          >
            {data?.name ?? id}
          </a>
          {data && data.state !== 'running' && (
            <ContainerState state={data.state} exitCode={data.exit_code} />
          )}
        </span>
      }
      actions={
        <IconButton icon={X} label={t('containers.closeLog', { name: data?.name ?? id })} onClick={onClose} />
      }
    />
  );
}
