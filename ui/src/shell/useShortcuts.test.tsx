import { fireEvent, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { useShortcuts } from './useShortcuts';

function Probe({
  open,
  isEnabled = true,
  hasSearch = true,
}: {
  open: () => void;
  isEnabled?: boolean;
  hasSearch?: boolean;
}) {
  useShortcuts(open, isEnabled);
  return <main>{hasSearch && <input data-search aria-label="search" />}</main>;
}

const press = (key: string, more: object = {}, target: Element = document.body) =>
  fireEvent.keyDown(target, { key, ...more });

afterEach(() => {
  window.location.hash = '';
});

describe('shortcuts', () => {
  it('lead to pages by two keys', () => {
    render(<Probe open={vi.fn()} />);
    press('g');
    press('c');
    expect(window.location.hash).toBe('#containers');
    press('t');
    expect(window.location.hash).toBe('#containers');
    press('n');
    expect(window.location.hash).toBe('#new-task');
  });

  it('open the palette and the help', () => {
    const open = vi.fn();
    render(<Probe open={open} />);
    press('k', { ctrlKey: true });
    press('K', { metaKey: true });
    press('?');
    expect(open.mock.calls).toEqual([['palette'], ['palette'], ['keys']]);
  });

  it('search the page, or everything where the page has no search', () => {
    const open = vi.fn();
    const { rerender } = render(<Probe open={open} />);
    press('/');
    expect(screen.getByLabelText('search')).toHaveFocus();
    (document.activeElement as HTMLElement).blur();
    rerender(<Probe open={open} hasSearch={false} />);
    press('/');
    expect(open).toHaveBeenCalledWith('palette');
  });

  it('leave those alone who type, and other keys of the browser', () => {
    const open = vi.fn();
    render(<Probe open={open} />);
    press('?', {}, screen.getByLabelText('search'));
    press('n', { altKey: true });
    expect(open).not.toHaveBeenCalled();
    expect(window.location.hash).toBe('');
  });

  it('rest below a dialog, and before somebody is logged in', () => {
    const open = vi.fn();
    const { unmount } = render(
      <>
        <Probe open={open} />
        <div role="dialog" />
      </>,
    );
    press('?');
    unmount();
    render(<Probe open={open} isEnabled={false} />);
    press('k', { ctrlKey: true });
    expect(open).not.toHaveBeenCalled();
  });

  it('switch between light and dark', () => {
    render(<Probe open={vi.fn()} />);
    document.documentElement.dataset.theme = 'light';
    press('\\');
    expect(document.documentElement.dataset.theme).toBe('dark');
  });
});
