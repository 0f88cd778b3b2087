import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { throttle } from './throttle';

describe('throttle', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('calls at once, then once in a while, and the last call gets through', () => {
    const call = vi.fn();
    const throttled = throttle(call, 400);
    throttled();
    throttled();
    throttled();
    expect(call).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(400);
    expect(call).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1_000);
    expect(call).toHaveBeenCalledTimes(2);
  });

  it('calls no more when it is given up', () => {
    const call = vi.fn();
    const throttled = throttle(call, 400);
    throttled();
    throttled();
    throttled.cancel();
    vi.advanceTimersByTime(1_000);
    expect(call).toHaveBeenCalledTimes(1);
  });
});
