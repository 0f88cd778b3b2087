/** How far a task is, experiment by experiment, small enough for a row of a list. */
import { Tooltip } from '@base-ui/react/tooltip';
import { type KeyboardEvent, memo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Block } from '@/api/queries/tasks';
import { TIP_POPUP } from '@/components/Tip';
import { cx } from '@/lib/cx';
import { number } from '@/lib/format';
import { href } from '@/lib/navigate';
import { type Cell, cellsOf } from './blocks';

/** Colour never says it alone: what failed is short, what is not made is hollow. */
const LOOKS: Record<string, string> = {
  pending: 'bg-line ring-1 ring-line-strong/40 ring-inset',
  deploying: 'bg-info/45',
  benchmarking: 'bg-info animate-pulse',
  success: 'bg-good',
  failed: 'bg-bad mt-1.5 h-2!',
};

export interface ProgressBlocksProps {
  taskId: number;
  blocks: readonly Block[];
  /** How many experiments there will be. */
  planned: number;
  made: number;
  succeeded: number;
  /** The most that are drawn. */
  most?: number;
  className?: string;
}

export const ProgressBlocks = memo(function ProgressBlocks({
  taskId,
  blocks,
  planned,
  made,
  succeeded,
  most,
  className,
}: ProgressBlocksProps) {
  const { t } = useTranslation();
  const [pointed, setPointed] = useState<{ cell: Cell; anchor: Element } | null>(null);
  const [active, setActive] = useState(0);
  const { cells, more } = cellsOf(blocks, planned, made, most);
  const name = (cell: Cell) =>
    [
      t('tasks.blocks.one', { number: cell.number }),
      cell.isMade ? t(`status.${cell.status}`, { defaultValue: cell.status }) : t('tasks.blocks.planned'),
      cell.isBest ? t('tasks.best') : '',
    ]
      .filter(Boolean)
      .join(' · ');
  const point = (target: EventTarget) => {
    const anchor = target instanceof Element ? target.closest('[data-cell]') : null;
    const cell = anchor ? cells[Number(anchor.getAttribute('data-cell'))] : undefined;
    setPointed(anchor && cell ? { cell, anchor } : null);
  };
  const links = cells.filter(({ isMade }) => isMade).length;
  const move = (event: KeyboardEvent<HTMLElement>) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step === 0 || links === 0) return;
    event.preventDefault();
    const next = Math.min(links - 1, Math.max(0, active + step));
    setActive(next);
    event.currentTarget.querySelector<HTMLElement>(`a[data-cell="${next}"]`)?.focus();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <div
      role="group"
      aria-label={t('tasks.blocks.label', { done: succeeded, total: made })}
      onMouseOver={({ target }) => point(target)}
      onMouseLeave={() => setPointed(null)}
      onFocus={({ target }) => point(target)}
      onBlur={() => setPointed(null)}
      onKeyDown={move}
      className={cx('flex flex-wrap items-center gap-0.5', className)}
    >
      {cells.map((cell, index) => {
        const look = cx(
          'block h-3.5 w-1.5 rounded-[2px]',
          LOOKS[cell.status] ?? LOOKS.pending,
          cell.isBest && 'ring-2 ring-accent ring-offset-1 ring-offset-surface mx-0.5',
        );
        return cell.isMade ? (
          <a
            key={cell.number}
            href={href.experiment(taskId, cell.number)}
            data-cell={index}
            data-status={cell.status}
            tabIndex={index === Math.min(active, links - 1) ? 0 : -1}
            className={cx(look, 'hover:brightness-110 hover:outline-2 hover:outline-accent')}
          >
            <span className="sr-only">{name(cell)}</span>
          </a>
        ) : (
          <span key={cell.number} aria-hidden data-cell={index} data-status="planned" className={look} />
        );
      })}
      {more > 0 && <span className="num ml-1 text-muted text-xs">+{number(more, 9)}</span>}
      {pointed && (
        <Tooltip.Root open>
          <Tooltip.Portal>
            <Tooltip.Positioner anchor={pointed.anchor} sideOffset={6} className="pointer-events-none z-50">
              <Tooltip.Popup className={TIP_POPUP}>{name(pointed.cell)}</Tooltip.Popup>
            </Tooltip.Positioner>
          </Tooltip.Portal>
        </Tooltip.Root>
      )}
    </div>
  );
});
