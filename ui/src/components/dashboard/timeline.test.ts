import { describe, expect, it } from 'vitest';
import { fittedFrom, rowsOf, type TimelineItem, ticksOf } from './timeline';

const NOW = new Date('2026-11-29T12:00:00Z').getTime();
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();

let next = 1;
const item = (task: number, from: number, to: number | null, status = 'success'): TimelineItem => ({
  id: next++,
  task_id: task,
  experiment_id: next,
  status,
  started_at: at(from),
  completed_at: to === null ? null : at(to),
});

const span = { from: NOW - 60 * 60_000, to: NOW };

describe('rowsOf', () => {
  it('puts the task that was at work last on top', () => {
    const rows = rowsOf([item(1, -50, -40), item(2, -30, -20), item(1, -10, -5)], span, 1_000, NOW);
    expect(rows.map(({ task, bars }) => [task, bars.length])).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  it('draws what still runs up to now, and what began earlier from the edge', () => {
    const [row] = rowsOf([item(1, -90, null, 'benchmarking')], span, 1_000, NOW);
    expect(row?.bars[0]).toMatchObject({ from: span.from, to: NOW, status: 'benchmarking' });
  });

  it('leaves out what has gone by', () => {
    expect(rowsOf([item(1, -200, -100)], span, 1_000, NOW)).toEqual([]);
  });

  it('lays experiments of the same time below each other', () => {
    const [row] = rowsOf([item(1, -50, -30), item(1, -40, -20), item(1, -30, -10)], span, 1_000, NOW);
    expect(row?.lanes).toBe(2);
    expect(row?.bars.map(({ lane }) => lane)).toEqual([0, 1, 0]);
  });

  it('folds what is too small to be told apart, and says what most of it is', () => {
    const many = Array.from({ length: 600 }, (_, index) =>
      item(1, -60 + index / 10, -60 + index / 10 + 0.09, index % 3 === 0 ? 'failed' : 'success'),
    );
    const [row] = rowsOf(many, span, 60 * 1_000, NOW);
    expect(row?.bars.length).toBeLessThan(30);
    expect(row?.bars.reduce((sum, { items }) => sum + items.length, 0)).toBe(600);
    expect(row?.bars.every(({ status }) => status === 'success')).toBe(true);
    expect(row?.counts).toEqual({ failed: 200, success: 400 });
  });
});

describe('ticksOf', () => {
  it('chooses round steps by the room there is', () => {
    expect(ticksOf(span, 6).step).toBe(10 * 60_000);
    expect(ticksOf(span, 3).step).toBe(30 * 60_000);
    expect(ticksOf({ from: NOW - 168 * 3_600_000, to: NOW }, 8).step).toBe(24 * 3_600_000);
  });

  it('stays inside the span, on round moments', () => {
    const { at } = ticksOf(span, 6);
    expect(at.length).toBeGreaterThan(4);
    for (const tick of at) {
      expect(tick).toBeGreaterThanOrEqual(span.from);
      expect(new Date(tick).getMinutes() % 10).toBe(0);
    }
  });
});

describe('fittedFrom', () => {
  const minutes = (from: number) => (NOW - from) / 60_000;

  it('shows what there is of the last day, and not a moment larger than life', () => {
    expect(minutes(fittedFrom([], NOW))).toBe(10);
    expect(minutes(fittedFrom([item(1, -3, -2)], NOW))).toBe(10);
    expect(minutes(fittedFrom([item(1, -200, -20), item(1, -100, null)], NOW))).toBeCloseTo(204);
    expect(minutes(fittedFrom([item(1, -3000, -2900), item(1, -50, -20)], NOW))).toBeCloseTo(51);
    expect(minutes(fittedFrom([item(1, -3000, null)], NOW))).toBe(24 * 60);
  });
});
