/** Images with their names, their size, and who needs them. */
import { ArrowDown, ArrowUp, Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Image } from '@/api/queries/images';
import { Badge } from '@/components/Badge';
import { IconButton } from '@/components/Button';
import { CopyButton } from '@/components/Copy';
import { Time } from '@/components/Time';
import { cx } from '@/lib/cx';
import { bytes } from '@/lib/format';
import { href } from '@/lib/navigate';
import type { Sort } from './index';
import type { Remove } from './useRemove';

/** Users that are named before the rest is counted. */
const NAMED = 3;

export function ImageTable({
  images,
  sort,
  order,
  onSort,
  remove,
}: {
  images: readonly Image[];
  sort: Sort;
  order: 'asc' | 'desc';
  onSort: (sort: Sort) => void;
  remove: Remove;
}) {
  const { t } = useTranslation();
  const head = (key: Sort, label: string, className?: string) => {
    const Arrow = order === 'desc' ? ArrowDown : ArrowUp;
    const isSorted = sort === key;
    return (
      <th
        scope="col"
        aria-sort={isSorted ? (order === 'asc' ? 'ascending' : 'descending') : undefined}
        className={cx('px-3 py-2 font-medium whitespace-nowrap', className)}
      >
        <button
          type="button"
          aria-label={t('list.sortBy', { column: label })}
          onClick={() => onSort(key)}
          className="inline-flex items-center gap-1 hover:text-fg"
        >
          {label}
          <Arrow aria-hidden className={cx('size-3', !isSorted && 'opacity-0')} />
        </button>
      </th>
    );
  };
  return (
    <div className="card overflow-x-auto">
      <table className="w-full text-left max-md:block">
        <thead className="border-line border-b text-muted text-xs max-md:sr-only">
          <tr>
            {head('name', t('images.name'), 'pl-4')}
            {head('size', t('images.size'), 'text-right')}
            <th scope="col" className="px-3 py-2 font-medium">
              {t('images.usedBy')}
            </th>
            {head('created', t('images.created'))}
            <th scope="col" className="w-12 px-3 py-2">
              <span className="sr-only">{t('images.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line max-md:block">
          {images.map((image) => (
            <tr
              key={image.id}
              className="hover:bg-sunken/60 max-md:grid max-md:grid-cols-[minmax(0,1fr)_auto_auto] max-md:py-1"
            >
              <th
                scope="row"
                className="max-w-[30rem] py-2 pr-3 pl-4 text-left font-normal max-md:col-span-1"
              >
                <Names image={image} />
              </th>
              <td className="num px-3 py-2 text-right whitespace-nowrap">{bytes(image.size_bytes)}</td>
              <td className="max-w-80 px-3 py-2 max-md:row-start-2 max-md:py-0 max-md:pl-4">
                <Users image={image} />
              </td>
              <td className="px-3 py-2 text-muted whitespace-nowrap max-md:col-span-2 max-md:row-start-2 max-md:py-0 max-md:pb-2 max-md:text-right max-md:text-xs">
                <Time at={image.created} />
              </td>
              <td className="py-1 pr-3 text-right max-md:col-start-3 max-md:row-start-1 max-md:pr-1">
                <RemoveButton image={image} remove={remove} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Names({ image }: { image: Image }) {
  const { t } = useTranslation();
  const { tags, short_id, is_ours } = image;
  return (
    <>
      {tags.length === 0 ? (
        <span className="text-muted italic">{t('images.unnamed')}</span>
      ) : (
        tags.map((tag) => {
          const colon = tag.lastIndexOf(':');
          return (
            <div key={tag} className="flex min-w-0 items-center gap-1">
              <span className="min-w-0 truncate" title={tag}>
                <span className="font-medium">{tag.slice(0, colon)}</span>
                <span className="text-muted">{tag.slice(colon)}</span>
              </span>
            </div>
          );
        })
      )}
      <div className="flex items-center gap-2 text-muted text-xs">
        <span className="font-mono">{short_id}</span>
        <span className="-my-2">
          <CopyButton text={tags[0] ?? image.id} label={t('images.copy')} />
        </span>
        {is_ours && <Badge tone="accent">{t('images.ours')}</Badge>}
      </div>
    </>
  );
}

function Users({ image }: { image: Image }) {
  const { t } = useTranslation();
  const { containers, tasks } = image;
  if (containers.length === 0 && tasks.length === 0)
    return <span className="text-faint max-md:hidden">–</span>;
  return (
    <div className="space-y-0.5 text-xs">
      {containers.length > 0 && (
        <Some label={t('images.containers')} count={containers.length}>
          {containers.slice(0, NAMED).map(({ id, name }) => (
            <a key={id} href={href.container(id)} className="max-w-48 truncate text-accent hover:underline">
              {name}
            </a>
          ))}
        </Some>
      )}
      {tasks.length > 0 && (
        <Some label={t('images.tasks')} count={tasks.length}>
          {tasks.slice(0, NAMED).map(({ id, name }) => (
            <a key={id} href={href.task(id)} className="max-w-48 truncate text-accent hover:underline">
              {name}
            </a>
          ))}
        </Some>
      )}
    </div>
  );
}

function Some({ label, count, children }: { label: string; count: number; children: ReactNode }) {
  return (
    <div className="flex flex-wrap items-center gap-x-2">
      <span className="text-muted">{label}</span>
      {children}
      {count > NAMED && <span className="num text-muted">+{count - NAMED}</span>}
    </div>
  );
}

function RemoveButton({ image, remove }: { image: Image; remove: Remove }) {
  const { t } = useTranslation();
  return (
    <IconButton
      icon={Trash2}
      tone={remove.may ? 'bad' : 'neutral'}
      label={t('images.removeOne', { name: image.tags[0] ?? image.short_id })}
      tip={remove.may ? t('action.remove') : t('images.adminOnly')}
      aria-disabled={!remove.may || undefined}
      isPending={remove.pending === image.id}
      onClick={() => remove.may && remove.ask(image)}
    />
  );
}
