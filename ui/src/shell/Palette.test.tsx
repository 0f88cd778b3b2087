import { screen } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { renderAt } from '@/test/render';
import { answer, startServer } from '@/test/server';
import { Palette, rank } from './Palette';

const server = startServer();

describe('rank', () => {
  it('counts beginnings most, then words, then parts, then letters in order', () => {
    expect(rank('tas', 'Tasks')).toBe(4);
    expect(rank('bound', 'ttft bound')).toBe(3);
    expect(rank('num', 'max-num-seqs')).toBe(3);
    expect(rank('ask', 'Tasks')).toBe(2);
    expect(rank('tks', 'Tasks')).toBe(1);
    expect(rank('skt', 'Tasks')).toBe(0);
    expect(rank('', 'anything')).toBe(1);
  });

  it('does not mind case and room around', () => expect(rank('  IMG ', 'imgs')).toBe(4));
});

const task = (id: number, task_name: string) => ({ id, task_name, status: 'completed', base_runtime: 'sim' });

describe('the palette', () => {
  it('finds pages and tasks, and leads to them by keyboard', async () => {
    server.use(answer('/api/tasks', [task(1, 'sim-local'), task(2, 'oom-prone')]));
    const close = vi.fn();
    const { user } = await renderAt(<Palette isOpen onClose={close} />);
    await user.type(screen.getByRole('combobox'), 'oom');
    expect(await screen.findByRole('option', { name: /oom-prone/ })).toHaveAttribute('aria-selected', 'true');
    expect(screen.queryByRole('option', { name: /Dashboard/ })).toBeNull();
    await user.keyboard('{Enter}');
    expect(close).toHaveBeenCalled();
    expect(window.location.hash).toBe('#tasks/2');
  });

  it('moves around with the arrows, and round the ends', async () => {
    server.use(answer('/api/tasks', []));
    const { user } = await renderAt(<Palette isOpen onClose={() => {}} />);
    const options = await screen.findAllByRole('option');
    await user.keyboard('{ArrowDown}{ArrowDown}{ArrowUp}');
    expect(options[1]).toHaveAttribute('aria-selected', 'true');
    await user.keyboard('{ArrowUp}{ArrowUp}');
    expect(screen.getAllByRole('option').at(-1)).toHaveAttribute('aria-selected', 'true');
  });

  it('offers nobody what they may not do', async () => {
    server.use(answer('/api/tasks', []), answer('/api/auth/me', { name: 'ann', role: 'viewer' }));
    await renderAt(<Palette isOpen onClose={() => {}} />);
    expect(await screen.findByRole('option', { name: 'Presets' })).toBeVisible();
    expect(screen.queryByRole('option', { name: 'Audit log' })).toBeNull();
    expect(screen.queryByRole('option', { name: 'New task' })).toBeNull();
  });
});
