import { act, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readDraft, useDraft } from './draft';

beforeEach(() => {
  sessionStorage.clear();
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const typed = () => renderHook(() => useDraft('new', true, { task_name: 'chat' }, undefined));

describe('what is typed', () => {
  it('is kept after a pause, and before the page goes', () => {
    typed();
    expect(readDraft('new')).toBeUndefined();
    act(() => vi.advanceTimersByTime(200));
    expect(readDraft('new')?.document).toEqual({ task_name: 'chat' });
    sessionStorage.clear();
    act(() => window.dispatchEvent(new Event('pagehide')));
    expect(readDraft('new')?.document).toEqual({ task_name: 'chat' });
  });

  it('is not kept by what was waiting when it ended', () => {
    const { result } = typed();
    act(() => vi.advanceTimersByTime(199));
    result.current();
    act(() => vi.advanceTimersByTime(1000));
    act(() => window.dispatchEvent(new Event('pagehide')));
    expect(readDraft('new')).toBeUndefined();
  });
});
