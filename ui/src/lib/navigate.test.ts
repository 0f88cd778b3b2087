import { describe, expect, it } from 'vitest';
import { href } from './navigate';

describe('addresses', () => {
  it('are what the pages read', () => {
    expect(href.task(12)).toBe('#tasks/12');
    expect(href.taskPart(12, 'logs', { follow: 1 })).toBe('#tasks/12/logs?follow=1');
    expect(href.experiment(12, 3, { run: 2 })).toBe('#tasks/12/experiments/3?run=2');
    expect(href.compare([1, 2])).toBe('#compare?ids=1,2');
    expect(href.tasks({ q: '', status: undefined })).toBe('#tasks');
    expect(href.newTask({ presets: '1,2' })).toBe('#new-task?presets=1,2');
    expect(href.settings('audit', { page: 2 })).toBe('#settings/audit?page=2');
  });
});
