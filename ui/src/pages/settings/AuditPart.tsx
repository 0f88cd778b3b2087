/** Who changed what, when and from where. */
import { useQuery } from '@tanstack/react-query';
import { ChevronRight, RotateCw, ScrollText } from 'lucide-react';
import { Fragment, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type AuditRow, auditPage } from '@/api/queries/settings';
import { Badge } from '@/components/Badge';
import { Button, IconButton } from '@/components/Button';
import { CodeBlock } from '@/components/Copy';
import { SearchInput } from '@/components/Input';
import { Pagination } from '@/components/Pagination';
import { Select } from '@/components/Select';
import { Empty, Failed, SkeletonRows } from '@/components/States';
import { Time } from '@/components/Time';
import { useAddress } from '@/lib/address';
import { cx } from '@/lib/cx';
import { asNumber, asWord } from '@/lib/search';
import { found, targetHref } from './audit';
import { ROLE_TONES } from './TokensPart';

const SIZES = ['50', '100', '200'] as const;

export function AuditPart() {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const page = asNumber(address.page) ?? 1;
  const size = Number(asWord(address.size, SIZES) ?? '50');
  const { data, error, isPending, isFetching, refetch } = useQuery(auditPage((page - 1) * size, size));
  const rows = found(data?.items ?? [], address.q ?? '');
  return (
    <section className="card min-w-0">
      <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2.5">
        <SearchInput
          value={address.q ?? ''}
          onChange={(q) => change({ q })}
          label={t('settings.audit.search')}
          className="w-full sm:w-72"
        />
        {address.q && (
          <span className="num text-muted text-xs">
            {t('settings.audit.found', { count: rows.length, of: data?.items.length ?? 0 })}
          </span>
        )}
        <div className="ml-auto flex items-center gap-1">
          <Select
            label={t('settings.audit.size')}
            value={String(size) as (typeof SIZES)[number]}
            onChange={(size) => change({ size, page: undefined })}
            options={SIZES.map((value) => ({
              value,
              label: t('settings.audit.rows', { count: Number(value) }),
            }))}
          />
          <IconButton
            icon={RotateCw}
            label={t('action.refresh')}
            isPending={isFetching}
            onClick={() => void refetch()}
          />
        </div>
      </div>
      {isPending ? (
        <SkeletonRows rows={8} />
      ) : error && !data ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : rows.length === 0 ? (
        <Empty icon={ScrollText} title={address.q ? t('list.nothingFound') : t('settings.audit.empty')}>
          {address.q && <Button onClick={() => change({ q: undefined })}>{t('action.clearSearch')}</Button>}
        </Empty>
      ) : (
        <div className="relative overflow-x-auto">
          <table className="w-full text-sm">
            <thead className="text-left text-muted text-xs">
              <tr>
                <th scope="col" className="w-8 pl-2">
                  <span className="sr-only">{t('settings.audit.detail')}</span>
                </th>
                {['when', 'who', 'action', 'target', 'address'].map((column) => (
                  <th
                    key={column}
                    scope="col"
                    className={cx(
                      'whitespace-nowrap px-3 py-2 font-medium max-sm:px-2',
                      column === 'address' && 'max-sm:hidden',
                    )}
                  >
                    {t(`settings.audit.column.${column}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={row.id} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Pagination
        page={page}
        size={size}
        total={data?.total ?? 0}
        onPage={(page) => change({ page: page === 1 ? undefined : page }, true)}
      />
    </section>
  );
}

function Row({ row }: { row: AuditRow }) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const { id, at, actor, role, address, action, target, detail } = row;
  const link = targetHref(target);
  return (
    <Fragment>
      <tr className="border-line border-t">
        <td className="w-8 pl-2">
          {detail && (
            <IconButton
              icon={ChevronRight}
              label={t('settings.audit.detailOf', { id })}
              aria-expanded={isOpen}
              onClick={() => setOpen(!isOpen)}
              className={cx('size-7 [&_svg]:transition-transform', isOpen && '[&_svg]:rotate-90')}
            />
          )}
        </td>
        <td className="whitespace-nowrap px-3 py-1.5 max-sm:px-2 text-muted">
          <Time at={at} />
        </td>
        <td className="whitespace-nowrap px-3 py-1.5 max-sm:px-2">
          <span className="inline-flex items-center gap-2">
            {actor}
            <Badge tone={ROLE_TONES[role] ?? 'neutral'} className="max-sm:hidden">
              {t(`role.${role}`, { defaultValue: role })}
            </Badge>
          </span>
        </td>
        <td className="whitespace-nowrap px-3 py-1.5 max-sm:px-2 font-mono text-xs">{action}</td>
        <td className="max-w-80 truncate px-3 py-1.5 max-sm:px-2" title={target}>
          {link ? (
            <a href={link} className="hover:text-accent hover:underline">
              {target}
            </a>
          ) : (
            target
          )}
        </td>
        <td className="num whitespace-nowrap px-3 py-1.5 max-sm:px-2 text-muted max-sm:hidden">
          {address ?? '–'}
        </td>
      </tr>
      {isOpen && detail && (
        <tr>
          <td />
          <td colSpan={5} className="px-3 pb-3 max-sm:px-2">
            <CodeBlock text={JSON.stringify(detail, null, 2)} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}
