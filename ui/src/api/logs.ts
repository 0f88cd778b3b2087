/** Where logs are. How they are followed is in log-stream.ts. */

export interface LogSource {
  /** Tells this log from others. */
  key: string;
  /** Server-sent events in batches. */
  followUrl: string;
  /** The whole log as a file. */
  downloadUrl: string;
  filename: string;
  /** Gives parts of the log: older lines, and those that match on the service. */
  readUrl?: string;
  /** Whether its lines have times, and a stream each. */
  hasTimes?: boolean;
  /** It is a pod's, and not a container's. */
  isPod?: boolean;
  /** Nobody writes to it any more, as far as the page knows. */
  isOver?: boolean;
}

export const taskLog = (id: number, name: string): LogSource => ({
  key: `task-${id}`,
  followUrl: `api/tasks/${id}/logs?follow=true&batch=true`,
  downloadUrl: `api/tasks/${id}/logs/download`,
  filename: `task_${id}_${name}.log`,
});

/** `number` counts inside the task. */
export const experimentLog = (task: number, number: number, run?: number): LogSource => ({
  key: `task-${task}-experiment-${number}-${run ?? ''}`,
  followUrl: `api/tasks/${task}/experiments/${number}/logs?follow=true&batch=true${run ? `&run=${run}` : ''}`,
  downloadUrl: `api/tasks/${task}/experiments/${number}/logs/download${run ? `?run=${run}` : ''}`,
  filename: `task_${task}_experiment_${number}.log`,
});

export const containerLog = (id: string, name: string): LogSource => ({
  key: `container-${id}`,
  followUrl: `api/docker/containers/${encodeURIComponent(id)}/logs?follow=true&batch=true`,
  downloadUrl: `api/docker/containers/${encodeURIComponent(id)}/logs/download`,
  filename: `${name}.log`,
  readUrl: `api/docker/containers/${encodeURIComponent(id)}/logs?batch=true`,
  hasTimes: true,
});

export const podLog = (name: string): LogSource => ({
  key: `pod-${name}`,
  followUrl: `api/kubernetes/pods/${encodeURIComponent(name)}/logs?follow=true&batch=true`,
  downloadUrl: `api/kubernetes/pods/${encodeURIComponent(name)}/logs/download`,
  filename: `${name}.log`,
  readUrl: `api/kubernetes/pods/${encodeURIComponent(name)}/logs?batch=true`,
  hasTimes: true,
  isPod: true,
});

/** A line as the service gives it: bare, or with its time and stream. */
export type LogItem = string | LogEntry;

export interface LogEntry {
  t: string;
  s: string;
  l: string;
}

/** Something that is said of a log between its lines. */
export type LogMark =
  | { kind: 'gap'; reason: string }
  | { kind: 'started' }
  | { kind: 'stopped'; exitCode: number | null; isOutOfMemory: boolean }
  | { kind: 'removed' }
  | { kind: 'podRemoved' }
  | { kind: 'daemonAway'; reason: string }
  | { kind: 'daemonBack' }
  | { kind: 'truncated' }
  | { kind: 'notice'; text: string };
