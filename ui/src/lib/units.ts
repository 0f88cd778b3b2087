/** Metrics that results have: their unit, which way is better, and how they are written. */
import { duration, number, percent } from './format';

export type MetricKind = 'seconds' | 'tokens_per_second' | 'requests_per_second' | 'share' | 'count';

export interface Metric {
  key: string;
  kind: MetricKind;
  better: 'lower' | 'higher';
}

/** The metrics that pages offer, most asked for first. Their names are in `metrics` of the locales. */
export const METRICS: readonly Metric[] = [
  { key: 'mean_total_throughput_per_gpu', kind: 'tokens_per_second', better: 'higher' },
  { key: 'mean_total_throughput', kind: 'tokens_per_second', better: 'higher' },
  { key: 'mean_output_throughput', kind: 'tokens_per_second', better: 'higher' },
  { key: 'mean_ttft', kind: 'seconds', better: 'lower' },
  { key: 'p99_ttft', kind: 'seconds', better: 'lower' },
  { key: 'mean_tpot', kind: 'seconds', better: 'lower' },
  { key: 'p99_tpot', kind: 'seconds', better: 'lower' },
  { key: 'mean_e2e_latency', kind: 'seconds', better: 'lower' },
  { key: 'p50_e2e_latency', kind: 'seconds', better: 'lower' },
  { key: 'p90_e2e_latency', kind: 'seconds', better: 'lower' },
  { key: 'p95_e2e_latency', kind: 'seconds', better: 'lower' },
  { key: 'p99_e2e_latency', kind: 'seconds', better: 'lower' },
  { key: 'mean_goodput', kind: 'requests_per_second', better: 'higher' },
  { key: 'success_rate', kind: 'share', better: 'higher' },
];

/** A value with its unit. */
export function withUnit(kind: MetricKind, value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  switch (kind) {
    case 'seconds':
      return duration(value);
    case 'tokens_per_second':
      return `${number(value)} tok/s`;
    case 'requests_per_second':
      return `${number(value)} req/s`;
    case 'share':
      return percent(value);
    case 'count':
      return number(value, 6);
  }
}

/** What an objective's value is measured in. */
export function objectiveKind(objective: string | null | undefined): MetricKind {
  return objective === 'maximize_throughput' ? 'tokens_per_second' : 'seconds';
}
