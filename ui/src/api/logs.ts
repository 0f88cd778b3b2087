/** Where logs are, and how they are followed. */

export interface LogSource {
  /** Tells this log from others. */
  key: string;
  /** Server-sent events in batches. */
  followUrl: string;
  /** The whole log as a file. */
  downloadUrl: string;
  filename: string;
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
  followUrl: `api/docker/containers/${id}/logs?follow=true&batch=true`,
  downloadUrl: `api/docker/containers/${id}/logs/download`,
  filename: `${name}.log`,
});
