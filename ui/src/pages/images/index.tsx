/** The images of the daemon: which there are, who needs them, fetched and removed. */
import { useQuery } from '@tanstack/react-query';
import { Box, Images } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { type Image, imageList } from '@/api/queries/images';
import { buttonClass } from '@/components/Button';
import { DockerFailed } from '@/components/container/NoDocker';
import { SearchInput } from '@/components/Input';
import { Page } from '@/components/Page';
import { Empty, SkeletonRows } from '@/components/States';
import { useAddress } from '@/lib/address';
import { bytes } from '@/lib/format';
import { href } from '@/lib/navigate';
import { asWord } from '@/lib/search';
import { ImageTable } from './ImageTable';
import { Pull } from './Pull';
import { useRemove } from './useRemove';

export const SORTS = ['created', 'name', 'size'] as const;
export type Sort = (typeof SORTS)[number];

/** Those that match, in an order. */
export function ordered(images: readonly Image[], q: string, sort: Sort, order: 'asc' | 'desc'): Image[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = images.filter(({ id, tags, tasks, containers }) => {
    const names = [...tags, id, ...tasks.map(({ name }) => name), ...containers.map(({ name }) => name)];
    const text = names.join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const sign = order === 'asc' ? 1 : -1;
  return found.sort((a, b) => {
    if (sort === 'size') return sign * (a.size_bytes - b.size_bytes);
    if (sort === 'created') return sign * a.created.localeCompare(b.created);
    return sign * (a.tags[0] ?? '\uffff').localeCompare(b.tags[0] ?? '\uffff');
  });
}

export function ImagesPage() {
  const { t } = useTranslation();
  const [search, setSearch] = useAddress();
  const { data, error, isPending, refetch } = useQuery(imageList);
  const isOperator = useMay('operator');
  const remove = useRemove();
  const sort = asWord(search.sort, SORTS) ?? 'created';
  const order = asWord(search.order, ['asc', 'desc'] as const) ?? (sort === 'name' ? 'asc' : 'desc');
  const images = data ?? [];
  const found = ordered(images, search.q ?? '', sort, order);
  return (
    <Page
      title={t('nav.images')}
      description={t('images.description')}
      actions={
        <a href={href.containers()} className={buttonClass()}>
          <Box aria-hidden className="size-4" />
          {t('nav.containers')}
        </a>
      }
    >
      {error ? (
        <DockerFailed error={error} onRetry={() => void refetch()} />
      ) : isPending ? (
        <SkeletonRows className="card" />
      ) : (
        <>
          {isOperator && <Pull known={images.flatMap(({ tags }) => tags)} />}
          <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
            <SearchInput
              label={t('images.search')}
              value={search.q ?? ''}
              onChange={(q) => setSearch({ q })}
              className="w-full sm:w-80"
            />
            <p className="num text-muted text-xs">
              {t('images.sum', {
                count: found.length,
                size: bytes(found.reduce((sum, { size_bytes }) => sum + size_bytes, 0)),
              })}
            </p>
          </div>
          {found.length === 0 ? (
            <div className="card">
              <Empty
                icon={Images}
                title={images.length > 0 ? t('list.nothingFound') : t('images.none')}
                text={images.length > 0 ? undefined : t('images.noneText')}
              />
            </div>
          ) : (
            <ImageTable
              images={found}
              sort={sort}
              order={order}
              onSort={(by) =>
                setSearch({
                  sort: by,
                  order: by === sort ? (order === 'asc' ? 'desc' : 'asc') : undefined,
                })
              }
              remove={remove}
            />
          )}
        </>
      )}
      {remove.dialog}
    </Page>
  );
}
