import { screen, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import type { Block } from '@/api/queries/tasks';
import { renderAt } from '@/test/render';
import { startServer } from '@/test/server';
import { cellsOf, plannedOf } from './blocks';
import { ProgressBlocks } from './ProgressBlocks';

startServer();

const block = (number: number, status: string, is_best = false): Block => ({
  id: 100 + number,
  experiment_id: number,
  status,
  role: number === 1 ? 'baseline' : 'search',
  is_best,
});

const BLOCKS = [block(1, 'success'), block(2, 'failed'), block(3, 'success', true), block(4, 'benchmarking')];

describe('blocks of a task', () => {
  it('are as many as are planned, the defaults included', () => {
    const planned = plannedOf({ status: 'running', max_iterations: 9, total_experiments: 4 });
    const { cells, more } = cellsOf(BLOCKS, planned, 4);
    expect(cells.map(({ status }) => status)).toEqual([
      'success',
      'failed',
      'success',
      'benchmarking',
      ...Array.from({ length: 6 }, () => 'pending'),
    ]);
    expect(cells.filter(({ isMade }) => isMade)).toHaveLength(4);
    expect(more).toBe(0);
  });

  it('are only those that were made when the run has ended', () => {
    expect(plannedOf({ status: 'completed', max_iterations: 100, total_experiments: 9 })).toBe(9);
    expect(plannedOf({ status: 'cancelled', max_iterations: 100, total_experiments: 0 })).toBe(101);
  });

  it('are counted where they are too many', () => {
    const { cells, more } = cellsOf(BLOCKS, 201, 4);
    expect(cells).toHaveLength(50);
    expect(more).toBe(151);
  });

  it('say what they are, and lead to the experiments', async () => {
    const { user } = await renderAt(
      <ProgressBlocks taskId={7} blocks={BLOCKS} planned={6} made={4} succeeded={2} />,
    );
    const group = screen.getByRole('group', { name: '2 of 4 succeeded' });
    const links = within(group).getAllByRole('link');
    expect(links.map((link) => link.textContent)).toEqual([
      'Experiment 1 · Success',
      'Experiment 2 · Failed',
      'Experiment 3 · Success · Best',
      'Experiment 4 · Benchmarking',
    ]);
    expect(links[2]).toHaveAttribute('href', '#tasks/7/experiments/3');
    expect(group.querySelectorAll('[data-status=planned]')).toHaveLength(2);
    // One stop of the tab key for all of them; arrows lead from one to the next.
    await user.tab();
    expect(links[0]).toHaveFocus();
    await user.keyboard('{ArrowRight}{ArrowRight}');
    expect(links[2]).toHaveFocus();
    await user.tab();
    expect(group).not.toContainElement(document.activeElement as HTMLElement);
  });
});
