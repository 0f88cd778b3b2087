import { describe, expect, it } from 'vitest';
import { sourceOf, withPresets } from './source';

describe('a new task that begins with presets', () => {
  it('is told by its address', () => {
    expect(sourceOf({ presets: '2,1', merge: 'last_wins' })).toEqual({
      mode: 'new',
      presets: [2, 1],
      merge: 'last_wins',
      key: 'presets:2,1:last_wins',
    });
    expect(sourceOf({ presets: '3' })).toMatchObject({ presets: [3], merge: 'union' });
    expect(sourceOf({ presets: 'x' })).toEqual({ mode: 'new', key: 'new' });
  });

  it('has their parameters, and their engine where they are for one', () => {
    const merged = { runtime: 'vllm', parameters: { 'max-num-seqs': [64, 128] }, applied_presets: ['a'] };
    expect(withPresets(false, 'docker', merged)).toMatchObject({
      base_runtime: 'vllm',
      deployment_mode: 'docker',
      model: { id_or_path: '' },
      parameters: { 'max-num-seqs': [64, 128] },
    });
    expect(withPresets(false, 'docker', { ...merged, runtime: null })).toMatchObject({
      base_runtime: 'sim',
      deployment_mode: 'local',
      parameters: { 'max-num-seqs': [64, 128] },
    });
  });
});
