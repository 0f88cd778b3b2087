import { describe, expect, it } from 'vitest';
import { isFiltered, paramsOf, readView, sortedBy, withStatus } from './address';

describe('the address of the list of tasks', () => {
  it('asks for the newest first where it says nothing', () => {
    const view = readView({});
    expect(isFiltered(view)).toBe(false);
    expect(paramsOf(view)).toEqual({ skip: 0, limit: 25, blocks: true, sort: 'created', order: 'desc' });
  });

  it('says what is shown', () => {
    const view = readView({
      status: 'failed,running',
      q: 'llama',
      sort: 'name',
      runtime: 'vllm',
      page: '3',
      size: '50',
    });
    expect(paramsOf(view)).toEqual({
      skip: 100,
      limit: 50,
      blocks: true,
      sort: 'name',
      order: 'asc',
      status_filter: 'running,failed',
      q: 'llama',
      runtime: 'vllm',
    });
  });

  it('is as if it were empty where it is wrong', () => {
    expect(readView({ status: 'odd', sort: 'odd', order: 'up', page: '-1', size: '7' })).toEqual(
      readView({}),
    );
  });

  it('turns the order round at the second press', () => {
    expect(sortedBy(readView({}), 'name')).toEqual({ sort: 'name', order: undefined, page: undefined });
    expect(sortedBy(readView({ sort: 'name' }), 'name')).toMatchObject({ sort: 'name', order: 'desc' });
    expect(sortedBy(readView({}), 'created')).toMatchObject({ sort: undefined, order: 'asc' });
  });

  it('holds several statuses, and none for all', () => {
    expect(withStatus(readView({ status: 'failed' }), 'running')).toMatchObject({ status: 'running,failed' });
    expect(withStatus(readView({ status: 'failed' }), 'failed')).toMatchObject({ status: '' });
    expect(withStatus(readView({ status: 'failed' }), undefined)).toMatchObject({ status: '' });
    expect(withStatus(readView({ status: 'pending,running,completed,failed' }), 'cancelled')).toMatchObject({
      status: undefined,
    });
  });
});
