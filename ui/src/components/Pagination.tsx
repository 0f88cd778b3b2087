/** Which page of a list is shown, and the way to the next. */
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { number } from '@/lib/format';
import { IconButton } from './Button';

/** `page` counts from 1. */
export function Pagination({
  page,
  size,
  total,
  onPage,
  sizes,
  onSize,
}: {
  page: number;
  size: number;
  total: number;
  onPage: (page: number) => void;
  /** How many a page may hold, where that can be chosen. */
  sizes?: readonly number[];
  onSize?: (size: number) => void;
}) {
  const { t } = useTranslation();
  if (total === 0) return null;
  const pages = Math.max(1, Math.ceil(total / size));
  const from = (page - 1) * size + 1;
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 border-line border-t px-4 py-2 text-muted text-xs">
      {sizes && onSize && total > Math.min(...sizes) && (
        <label className="order-2 flex items-center gap-2 sm:ml-auto">
          {t('list.perPage')}
          <select
            value={size}
            onChange={(event) => onSize(Number(event.target.value))}
            className="num h-7 rounded-md border border-line bg-surface px-1.5 text-fg"
          >
            {sizes.map((choice) => (
              <option key={choice} value={choice}>
                {choice}
              </option>
            ))}
          </select>
        </label>
      )}
      <span className="num order-1">
        {t('list.range', {
          from: number(from, 9),
          to: number(Math.min(total, page * size), 9),
          total: number(total, 9),
        })}
      </span>
      {pages > 1 && (
        <div className="order-3 flex items-center gap-1">
          <IconButton
            icon={ChevronLeft}
            label={t('list.previous')}
            disabled={page <= 1}
            onClick={() => onPage(page - 1)}
          />
          <span className="num">{t('list.page', { page, pages })}</span>
          <IconButton
            icon={ChevronRight}
            label={t('list.next')}
            disabled={page >= pages}
            onClick={() => onPage(page + 1)}
          />
        </div>
      )}
    </div>
  );
}
