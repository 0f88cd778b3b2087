import { screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { renderAt } from '@/test/render';
import { useAddress, usePathPart } from './address';

function Probe() {
  const [search, change] = useAddress();
  return (
    <>
      <output>{JSON.stringify({ ...search, task: usePathPart('task') })}</output>
      <button type="button" onClick={() => change({ page: 2, q: '' })}>
        change
      </button>
    </>
  );
}

describe('useAddress', () => {
  it('reads the address, changes a part of it, and drops what is empty', async () => {
    const { user, address } = await renderAt(<Probe />, {
      at: '/tasks/5?q=x&sort=name',
      route: '/tasks/$task',
    });
    expect(screen.getByRole('status')).toHaveTextContent('{"q":"x","sort":"name","task":"5"}');
    await user.click(screen.getByText('change'));
    expect(address()).toBe('/tasks/5?sort=name&page=2');
  });
});
