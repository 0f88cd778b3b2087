import { describe, expect, it } from 'vitest';
import { controlsOf, measuredSeconds, mustAsk } from './controls';

const task = (status: string, more = {}) => ({ id: 1, task_name: 'a', status, ...more });

describe('controls of a task', () => {
  it.each([
    ['pending', ['edit', 'logs', 'start', 'duplicate', 'export', 'delete']],
    ['running', ['logs', 'cancel', 'duplicate', 'export']],
    ['completed', ['logs', 'restart', 'duplicate', 'export', 'clear', 'delete']],
    ['failed', ['logs', 'restart', 'duplicate', 'export', 'clear', 'delete']],
    ['cancelled', ['logs', 'restart', 'duplicate', 'export', 'clear', 'delete']],
  ])('follow from its status: %s', (status, controls) => {
    expect(controlsOf(task(status))).toEqual(controls);
  });

  it('have results as soon as one experiment succeeded', () => {
    expect(controlsOf(task('running', { successful_experiments: 1 }))).toContain('results');
    expect(controlsOf(task('failed', { successful_experiments: 0 }))).not.toContain('results');
  });

  it('ask before a restart only where results leave the view', () => {
    expect(mustAsk('restart', task('completed'))).toBe(true);
    expect(mustAsk('restart', task('failed'))).toBe(false);
    expect(mustAsk('restart', task('cancelled'))).toBe(false);
  });

  it('ask before a cancel only where more than a minute is lost', () => {
    expect(mustAsk('cancel', task('running'), 60)).toBe(false);
    expect(mustAsk('cancel', task('running'), 61)).toBe(true);
  });

  it('ask before what cannot be undone', () => {
    expect(mustAsk('delete', task('pending'))).toBe(true);
    expect(mustAsk('clear', task('failed'))).toBe(true);
    expect(mustAsk('start', task('pending'))).toBe(false);
  });

  it('count what every running experiment would lose', () => {
    const now = Date.parse('2026-11-29T07:01:40Z');
    const live = {
      experiments: [{ since: '2026-11-29T07:00:00Z' }, { since: '2026-11-29T07:01:30Z' }, { since: '' }],
    };
    expect(measuredSeconds(live, now)).toBe(110);
    expect(measuredSeconds(undefined, now)).toBe(0);
  });
});
