/** A list of experiments: a table, or cards on a phone; only what is seen is drawn when there are many. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type MouseEvent, memo, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { Checkbox } from '@/components/Toggle';
import { cx } from '@/lib/cx';
import type { Column } from './columns';
import { ExperimentCard } from './ExperimentCard';
import { MOST_COMPARED, type Order } from './filter';
import { useIsPhone } from './useIsPhone';

export interface ExperimentRowsProps {
  rows: readonly Experiment[];
  columns: readonly Column[];
  /** Accessible name of the list. */
  label: string;
  sort: { key: string; order: Order };
  onSort: (key: string, order: Order) => void;
  /** Global ids of those to compare. */
  selected: readonly number[];
  onToggle: (id: number) => void;
  hrefOf: (experiment: Experiment) => string;
  isFaded?: boolean;
}

/** From so many rows on only those in sight are drawn. */
const MANY = 100;

export function ExperimentRows(props: ExperimentRowsProps) {
  const isPhone = useIsPhone();
  const columns = useMemo(
    () => props.columns.filter(({ only }) => !only || only === (isPhone ? 'card' : 'table')),
    [props.columns, isPhone],
  );
  const place = useRef<HTMLDivElement>(null);
  const { rows, label, isFaded = false } = props;
  const isMany = rows.length > MANY;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => place.current,
    estimateSize: () => (isPhone ? 180 : 40),
    overscan: 6,
    enabled: isMany,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  const items = isMany ? virtual.getVirtualItems() : [];
  const first = items[0];
  const last = items.at(-1);
  const before = isMany ? (first?.start ?? 0) : 0;
  const after = isMany && last ? virtual.getTotalSize() - last.end : 0;
  const seen = isMany
    ? items.flatMap(({ index }) => {
        const row = rows[index];
        return row ? [{ row, index }] : [];
      })
    : rows.map((row, index) => ({ row, index }));
  const selection = (row: Experiment): Selection => ({
    row,
    isSelected: props.selected.includes(row.id),
    isFull: props.selected.length >= MOST_COMPARED,
    onToggle: props.onToggle,
  });
  const measure = isMany ? virtual.measureElement : undefined;
  return (
    <section
      ref={place}
      aria-label={label}
      tabIndex={isMany ? 0 : undefined}
      className={cx(
        'relative',
        isMany ? 'max-h-[min(46rem,78dvh)] overflow-auto' : 'overflow-x-auto',
        isFaded && 'opacity-60 transition-opacity',
      )}
    >
      {isPhone ? (
        <ul>
          {before > 0 && <li aria-hidden style={{ height: before }} />}
          {seen.map(({ row, index }) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the link in it does the same by keyboard
            <li
              key={row.id}
              data-index={index}
              ref={measure}
              onClick={opener(props.hrefOf(row))}
              className="cursor-pointer border-line border-b last:border-0"
            >
              <ExperimentCard experiment={row} columns={columns} selection={<Select {...selection(row)} />} />
            </li>
          ))}
          {after > 0 && <li aria-hidden style={{ height: after }} />}
        </ul>
      ) : (
        <table className="w-full text-sm">
          <caption className="sr-only">{label}</caption>
          <Head columns={columns} sort={props.sort} onSort={props.onSort} />
          <tbody>
            {before > 0 && (
              <tr aria-hidden>
                <td style={{ height: before }} />
              </tr>
            )}
            {seen.map(({ row, index }) => (
              <Row
                key={row.id}
                index={index}
                measure={measure}
                columns={columns}
                href={props.hrefOf(row)}
                {...selection(row)}
              />
            ))}
            {after > 0 && (
              <tr aria-hidden>
                <td style={{ height: after }} />
              </tr>
            )}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** What a row needs to be chosen. */
interface Selection {
  row: Experiment;
  isSelected: boolean;
  /** As many are chosen as can be compared. */
  isFull: boolean;
  onToggle: (id: number) => void;
}

function Select({ row, isSelected, isFull, onToggle }: Selection) {
  const { t } = useTranslation();
  return (
    <Checkbox
      isOn={isSelected}
      onChange={() => onToggle(row.id)}
      isDisabled={!isSelected && isFull}
      label={t('list.select', { name: t('experiments.title', { number: row.experiment_id }) })}
      hideLabel
    />
  );
}

const Head = memo(function Head({
  columns,
  sort,
  onSort,
}: Pick<ExperimentRowsProps, 'columns' | 'sort' | 'onSort'>) {
  const { t } = useTranslation();
  return (
    <thead className="sticky top-0 z-10 bg-surface text-left text-muted text-xs">
      <tr>
        <th scope="col" className="w-9 border-line border-b py-2 pl-4">
          <span className="sr-only">{t('nav.compare')}</span>
        </th>
        {columns.map(({ key, header, title, sortKey, sortsDown = false, isNumber }) => {
          const isSorted = sortKey !== undefined && sort.key === sortKey;
          const Arrow = sort.order === 'asc' ? ArrowUp : ArrowDown;
          const next: Order = isSorted ? (sort.order === 'asc' ? 'desc' : 'asc') : sortsDown ? 'desc' : 'asc';
          return (
            <th
              key={key}
              scope="col"
              aria-sort={isSorted ? (sort.order === 'asc' ? 'ascending' : 'descending') : undefined}
              className={cx(
                'border-line border-b px-2.5 py-2 font-medium whitespace-nowrap',
                isNumber && 'text-right',
              )}
            >
              {sortKey ? (
                <button
                  type="button"
                  onClick={() => onSort(sortKey, next)}
                  title={title}
                  className={cx(
                    'inline-flex max-w-28 items-center gap-1 rounded hover:text-fg',
                    isSorted && 'text-fg',
                  )}
                >
                  <span className="truncate">{header}</span>
                  {isSorted && <Arrow aria-hidden className="size-3 shrink-0" />}
                </button>
              ) : (
                <span title={title} className={title && 'block max-w-28 truncate'}>
                  {header}
                </span>
              )}
            </th>
          );
        })}
      </tr>
    </thead>
  );
});

/** Where a press is meant for what was pressed, not for the row. */
const INTERACTIVE = 'a, button, input, label, [role="checkbox"]';

/** A press anywhere on a row does what its link does; the link serves the keyboard. */
function opener(href: string) {
  return (event: MouseEvent<HTMLElement>) => {
    if ((event.target as Element).closest(INTERACTIVE) || window.getSelection()?.toString()) return;
    if (event.metaKey || event.ctrlKey) window.open(href, '_blank', 'noopener');
    else window.location.hash = href;
  };
}

/** Drawn anew only when something of it changes: scrolling through many must cost little. */
const Row = memo(function Row({
  index,
  measure,
  columns,
  href,
  ...selection
}: Selection & {
  index: number;
  measure: ((element: Element | null) => void) | undefined;
  columns: readonly Column[];
  href: string;
}) {
  const { row, isSelected } = selection;
  return (
    <tr
      ref={measure}
      data-index={index}
      onClick={opener(href)}
      className={cx(
        'cursor-pointer border-line/70 border-b last:border-0 hover:bg-sunken/70',
        isSelected && 'bg-accent-soft/50',
      )}
    >
      <td className="py-1.5 pl-4 align-middle">
        <span className="flex">
          <Select {...selection} />
        </span>
      </td>
      {columns.map(({ key, cell, isNumber, className }) => (
        <td
          key={key}
          className={cx('px-2.5 py-1.5 align-middle', isNumber && 'text-right whitespace-nowrap', className)}
        >
          {cell(row)}
        </td>
      ))}
    </tr>
  );
});
