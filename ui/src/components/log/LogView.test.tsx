/** The viewer as it is used, over a log that comes from a service. */
import { act, render, screen, waitFor, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { containerLog } from '@/api/logs';
import { LogView } from './LogView';

const source = containerLog('abc', 'engine');

/** A stream that is written to from outside. */
function service() {
  let feed: ReadableStreamDefaultController<Uint8Array> | undefined;
  const asked: string[] = [];
  vi.stubGlobal('fetch', async (url: string) => {
    asked.push(String(url));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        feed = controller;
      },
    });
    return new Response(body);
  });
  let id = 0;
  return {
    asked,
    say: async (event: string, data: unknown) => {
      await waitFor(() => expect(feed).toBeDefined());
      id += 1;
      await act(async () => {
        feed?.enqueue(
          new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\nid: ${id}\n\n`),
        );
        await new Promise((resume) => setTimeout(resume, 60));
      });
    },
  };
}

const lines = (...texts: string[]) => texts.map((l) => ({ t: '2026-11-29T10:00:00.000000000Z', s: 'o', l }));

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(400);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(800);
});
afterEach(() => vi.unstubAllGlobals());

describe('a log', () => {
  it('is waited for, shown as it comes, and says when the container was restarted', async () => {
    const daemon = service();
    render(<LogView source={source} />);
    expect(await screen.findByText('Waiting for logs...')).toBeVisible();
    await daemon.say('log', lines('INFO first', 'ERROR <b>second</b>'));
    const list = screen.getByRole('log', { name: 'Log engine.log' });
    expect(await within(list).findByText('ERROR <b>second</b>')).toBeVisible();
    expect(screen.getByText('Live')).toBeVisible();
    await daemon.say('life', { life: 'started' });
    expect(within(list).getByText('Container restarted')).toBeVisible();
    expect(screen.getByRole('link', { name: 'Download the whole log' })).toHaveAttribute(
      'href',
      'api/docker/containers/abc/logs/download',
    );
  });

  it('is searched and filtered', async () => {
    const daemon = service();
    render(<LogView source={source} />);
    await daemon.say('log', lines('INFO alpha', 'INFO beta', 'WARN alpha again', 'ERROR gamma'));
    const field = screen.getByRole('textbox', { name: 'Search in the log' });
    await userEvent.type(field, 'ALPHA');
    expect(await screen.findByText('–/2')).toBeVisible();
    await userEvent.keyboard('{Enter}');
    expect(await screen.findByText('2/2')).toBeVisible();
    await userEvent.click(screen.getByRole('button', { name: 'Only lines that match' }));
    await waitFor(() => expect(screen.queryByText('INFO beta')).not.toBeInTheDocument());
    await userEvent.click(screen.getByRole('button', { name: 'Regular expression' }));
    await userEvent.clear(field);
    await userEvent.type(field, '(');
    expect(await screen.findByText('Not a valid expression')).toBeVisible();
  });

  it('is stopped and goes on', async () => {
    const daemon = service();
    render(<LogView source={source} />);
    await daemon.say('log', lines('one'));
    const [stop] = screen.getAllByRole('button', { name: 'Stop Streaming' });
    if (!stop) throw new Error('no button');
    await userEvent.click(stop);
    expect(screen.getByText('Stopped')).toBeVisible();
    const [start] = screen.getAllByRole('button', { name: 'Start Streaming' });
    if (!start) throw new Error('no button');
    await userEvent.click(start);
    await daemon.say('log', lines('two'));
    expect(await screen.findByText('two')).toBeVisible();
    expect(screen.getByText('one')).toBeVisible();
    expect(daemon.asked).toHaveLength(2);
  });
});
