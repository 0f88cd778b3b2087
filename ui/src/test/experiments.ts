/** Experiments for tests: an answer of the service with what a test says of it. */
import type { Experiment } from '@/api/queries/experiments';
import success from './fixtures/experiment-success.json';

/** A measured experiment; `number` counts inside the task and is the global id too. */
export function experimentOf(number: number, change: Partial<Experiment> = {}): Experiment {
  return { ...(success as unknown as Experiment), id: number, experiment_id: number, ...change };
}

/** One that is worth this, and is feasible. */
export function worth(number: number, value: number, change: Partial<Experiment> = {}): Experiment {
  return experimentOf(number, {
    objective_value: value,
    objective_score: -value,
    direction: 'maximize',
    feasible: true,
    violations: [],
    ...change,
  });
}

/** One that failed. */
export function failed(number: number, kind: string, change: Partial<Experiment> = {}): Experiment {
  return experimentOf(number, {
    status: 'failed',
    failure_kind: kind,
    objective_value: null,
    objective_score: null,
    direction: null,
    feasible: null,
    metrics: null,
    ...change,
  });
}
