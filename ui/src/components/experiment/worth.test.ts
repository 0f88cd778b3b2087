import i18next from 'i18next';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '@/api/queries/experiments';
import { axisOf, LEVEL_METRICS, levelsOption, levelsTable, loadText } from '@/charts/levels';
import { seriesOption, seriesTable } from '@/charts/series';
import { readTokens } from '@/charts/tokens';
import success from '@/test/fixtures/experiment-success.json';
import { findingsOf, saysItsWorth } from './findings';
import { levelText } from './levelText';
import { type Level, levelsOf } from './read';
import {
  doOverlap,
  halfWidth,
  type Interval,
  intervalOf,
  intervalText,
  scoredInterval,
  scoredMetric,
} from './worth';

const t = i18next.t;
const tokens = readTokens();

/** A level as the service writes one, with these parts of it. */
function level(parts: Record<string, unknown> = {}): Level {
  const raw = { scenario: 'D(64,32)', num_concurrency: 8, run_duration: 20, ...parts };
  const [read] = levelsOf({ metrics: { raw_results: [raw] } } as unknown as Experiment);
  if (!read) throw new Error('no level');
  return read;
}

const kinds = (of: Level, scored: string | null = null) => findingsOf(of, scored).map(({ kind }) => kind);

describe('intervals', () => {
  const metrics = {
    gpus: 2,
    mean_total_throughput_per_gpu: 500,
    confidence: { level: 0.95, blocks: 20, mean_total_throughput: [900, 1100], mean_ttft: null },
  };
  const experiment = { metrics, direction: 'maximize', objective_value: 500 } as unknown as Experiment;

  it('are found under the names of metrics, for each GPU as well', () => {
    expect(intervalOf(experiment, 'mean_total_throughput')).toEqual([900, 1100]);
    expect(intervalOf(experiment, 'mean_total_throughput_per_gpu')).toEqual([450, 550]);
    expect(intervalOf(experiment, 'mean_ttft')).toBeNull();
    expect(intervalOf({ metrics: null } as unknown as Experiment, 'mean_ttft')).toBeNull();
  });

  it('are that of the score where it is one of them', () => {
    expect(scoredMetric(experiment)).toBe('mean_total_throughput_per_gpu');
    expect(scoredInterval(experiment)).toEqual([450, 550]);
    expect(scoredMetric({ ...experiment, objective_value: 7 } as Experiment)).toBeNull();
  });

  it('are written with one unit where one is enough', () => {
    expect(intervalText('seconds', [0.0111, 0.0118])).toBe('11.1–11.8ms');
    expect(intervalText('seconds', [0.9, 1.2])).toBe('900ms – 1.2s');
    expect(intervalText('tokens_per_second', [784.569, 790.369])).toBe('784.6–790.4');
  });

  it('tell by which share a figure may be off, and whether two may be the same', () => {
    expect(halfWidth(100, [95, 110])).toBeCloseTo(0.1);
    expect(halfWidth(0, [0, 1])).toBeNull();
    const of = (low: number, high: number): Interval => [low, high];
    expect(doOverlap(of(1, 2), of(2, 3))).toBe(true);
    expect(doOverlap(of(1, 2), of(2.1, 3))).toBe(false);
    expect(doOverlap(of(1, 2), null)).toBe(false);
  });
});

describe('what speaks against a level', () => {
  it('is nothing in older results, which say nothing of it', () => {
    expect(kinds(level())).toEqual([]);
    expect(saysItsWorth(level())).toBe(false);
  });

  it('is the load generator, where it was the limit or errs by more than a little', () => {
    const trust = { is_client_limited: true, reasons: ['it was slow'], client_error: { mean_ttft: 0.2 } };
    expect(findingsOf(level({ trust }))).toEqual([{ kind: 'client_limited', reasons: ['it was slow'] }]);
    const errs = level({ trust: { client_error: { mean_ttft: 0.2, mean_tpot: 0.01 } } });
    expect(findingsOf(errs, 'mean_ttft')).toEqual([
      { kind: 'client_error', metric: 'mean_ttft', share: 0.2 },
    ]);
    expect(kinds(errs, 'mean_tpot')).toEqual([]);
  });

  it('is that it did not run evenly', () => {
    const steady = { is_steady: false, throughput_drift: 0.03, ttft_drift: 2.96, slices: 20 };
    expect(kinds(level({ steady }))).toEqual(['unsteady']);
    expect(kinds(level({ steady: { ...steady, is_steady: true } }))).toEqual([]);
  });

  it('is that less came about than was asked for, by more than chance', () => {
    const rate = (asked_rate: number, achieved_rate: number) =>
      level({ trust: { asked_rate, achieved_rate } });
    expect(kinds(rate(40, 30))).toEqual(['rate_missed']);
    // 8 a second over 20 s are 160 starts, give or take a dozen.
    expect(kinds(rate(8, 7.4))).toEqual([]);
    expect(kinds(level({ trust: { asked_concurrency: 16, achieved_concurrency: 12 } }))).toEqual([
      'not_full',
    ]);
  });

  it('is that starts were held back or late', () => {
    const schedule = { label: 'poisson at 8/s', rate: 8, held_back: 3 };
    const stats = { schedule_lag: { n: 9, p99: 0.2 } };
    expect(kinds(level({ schedule, stats }))).toEqual(['held_back']);
    expect(kinds(level({ schedule: { ...schedule, held_back: 0 }, stats }))).toEqual(['late']);
    const soon = { schedule_lag: { n: 9, p99: 0.05 } };
    expect(kinds(level({ schedule: { ...schedule, held_back: 0 }, stats: soon }))).toEqual([]);
  });

  it('is that the engine says otherwise, of counts only where all ended well', () => {
    const engine_metrics = {
      mean_ttft: 0.1,
      mean_ttft_difference: 0.02,
      requests: 100,
      requests_difference: -9,
    };
    const all = { num_requests: 91, num_completed_requests: 91 };
    const found = findingsOf(level({ engine_metrics, ...all }))[0];
    expect(found).toMatchObject({
      kind: 'engine_differs',
      figures: [{ key: 'mean_ttft' }, { key: 'requests' }],
    });
    const some = findingsOf(level({ engine_metrics, ...all, num_completed_requests: 90 }))[0];
    expect(some).toMatchObject({ figures: [{ key: 'mean_ttft' }] });
    const near = { mean_ttft: 0.1, mean_ttft_difference: 0.006 };
    expect(kinds(level({ engine_metrics: near }))).toEqual([]);
  });

  it('is that few requests ended well', () => {
    expect(kinds(level({ stats: { e2e_latency: { n: 40, p99: 1, p99_low_n: true } } }))).toEqual(['few']);
  });
});

describe('a level by a clock', () => {
  const byClock = (rate: number, ttft: number) =>
    level({
      schedule: { label: `poisson at ${rate}/s`, rate, held_back: 0 },
      num_concurrency: 3,
      stats: { ttft: { n: 9, mean: 0.01 }, ttft_from_schedule: { n: 9, mean: ttft } },
      confidence: { mean_ttft: [ttft - 0.01, ttft + 0.01] },
    });
  const series = [{ name: '#1', color: '#000000', levels: [byClock(40, 0.3), byClock(8, 0.1)] }];

  it('is scored from the schedule, and called by its rate', () => {
    const [one] = series[0]?.levels ?? [];
    expect(one?.ttft.mean).toBe(0.3);
    expect(one && levelText(t, one)).toBe('D(64,32), Poisson, 40 req/s');
    const odd = level({ schedule: { label: '2 stages', rate: 5, held_back: 0 } });
    expect(levelText(t, odd)).toBe('D(64,32), 2 stages');
  });

  it('is drawn over the rate', () => {
    const metric = LEVEL_METRICS.find(({ key }) => key === 'ttft_mean');
    if (!metric) throw new Error('no metric');
    const input = { series, metric, scenario: 'D(64,32)', bound: null, tokens, t };
    expect(axisOf(series, 'D(64,32)')).toBe('rate');
    expect(loadText(t, 'rate', 8)).toBe('8 req/s');
    expect(levelsOption(input)).toMatchObject({
      xAxis: { data: ['8', '40'] },
      series: [{ data: [0.1, 0.3] }],
    });
    expect(levelsTable(input).rows.map(([load]) => load)).toEqual([8, 40]);
    expect(axisOf([{ levels: [level(), byClock(8, 0.1)] }], 'D(64,32)')).toBe('load');
  });
});

describe('a window over time', () => {
  const time_series = {
    slice_seconds: 2,
    output_tokens_per_s: [10, 20],
    requests_completed: [1, 2],
    requests_failed: [0, 1],
    requests_in_flight: [3.5, 4],
    mean_ttft: [0.1, null],
  };

  it('is a chart and a table, slice by slice', () => {
    const { series } = level({ time_series }).worth;
    if (!series) throw new Error('no series');
    expect(seriesOption({ series, chart: 'ttft', tokens, t })).toMatchObject({
      series: [{ data: [0.1, null] }],
    });
    expect(seriesOption({ series, chart: 'requests', tokens, t }).series).toHaveLength(2);
    expect(seriesTable({ series, chart: 'throughput', tokens, t }).rows).toEqual([
      ['0s – 2s', '10 tok/s'],
      ['2s – 4s', '20 tok/s'],
    ]);
  });

  it('is not there in older results', () => {
    expect(level().worth.series).toBeNull();
    expect(level({ time_series: { slice_seconds: 1 } }).worth.series).toBeNull();
  });
});

it('every level of an answer of the service is read', () => {
  const levels = levelsOf(success as unknown as Experiment);
  expect(levels.every(saysItsWorth)).toBe(true);
  expect(levels.every(({ worth }) => worth.schedule === null)).toBe(true);
});
