import { useQuery } from '@tanstack/react-query';
import { screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { systemInfo } from '@/api/queries/system';
import { useAddress, usePathPart } from '@/lib/address';
import { renderAt } from './render';
import { refuse, startServer } from './server';

const server = startServer();

function Probe() {
  const [search, change] = useAddress();
  const part = usePathPart('task');
  const info = useQuery(systemInfo);
  return (
    <button type="button" onClick={() => change({ q: 'b' })}>
      {part} {search.q} {info.data?.version ?? info.error?.message}
    </button>
  );
}

describe('renderAt', () => {
  it('gives a component its address, in memory', async () => {
    const { user, address } = await renderAt(<Probe />, { at: '/tasks/7?q=a', route: '/tasks/$task' });
    await user.click(await screen.findByText('7 a 0.1.0'));
    expect(await screen.findByText('7 b 0.1.0')).toBeVisible();
    expect(address()).toBe('/tasks/7?q=b');
  });

  it('gives a component its address, in the fragment', async () => {
    const { user } = await renderAt(<Probe />, {
      at: '/tasks/7?q=a',
      route: '/tasks/$task',
      inFragment: true,
    });
    await user.click(await screen.findByText('7 a 0.1.0'));
    expect(await screen.findByText('7 b 0.1.0')).toBeVisible();
    expect(window.location.hash).toBe('#tasks/7?q=b');
  });

  it('shows what the service refuses', async () => {
    server.use(refuse('/api/system/info', 503, 'not now'));
    await renderAt(<Probe />, { at: '/tasks/7', route: '/tasks/$task' });
    expect(await screen.findByText(/not now/)).toBeVisible();
  });
});
