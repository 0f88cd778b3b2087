import { screen, waitFor, within } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { describe, expect, it } from 'vitest';
import type { AuditRow, Token } from '@/api/queries/settings';
import audit from '@/test/fixtures/audit.json';
import options from '@/test/fixtures/system-options.json';
import tokens from '@/test/fixtures/tokens.json';
import { renderAt } from '@/test/render';
import { answer, startServer } from '@/test/server';
import { SettingsPage } from '.';
import { found, targetHref } from './audit';
import { matchingOptions } from './DefaultsPart';
import { loginLink, ordered, stateOf } from './tokens';

const server = startServer();
const ROUTE = '/settings/$part';
const KEPT = tokens as Token[];

describe('tokens', () => {
  const [alice, former] = KEPT as [Token, Token];
  const during = Date.parse('2023-11-20T00:00:00Z');

  it('are active until they expire or are revoked', () => {
    expect(stateOf(alice, during)).toBe('active');
    expect(stateOf(alice, Date.parse('2024-01-01T00:00:00Z'))).toBe('expired');
    expect(stateOf(former, during)).toBe('revoked');
    expect(ordered(KEPT, during).map(({ name }) => name)).toEqual(['dashboard', 'alice', 'former colleague']);
  });

  it('make a link that logs in', () => {
    const at = { origin: 'https://tuner.example', pathname: '/tools/tuner/index.html' };
    expect(loginLink('iat_a+b', at)).toBe('https://tuner.example/tools/tuner/?token=iat_a%2Bb');
  });
});

describe('the audit log', () => {
  it('is searched by every word, in every column', () => {
    const rows = audit as unknown as AuditRow[];
    expect(found(rows, 'task.CREATE admin').map(({ action }) => action)).toEqual(['task.create']);
    expect(found(rows, 'on record').length).toBeGreaterThan(0);
    expect(found(rows, 'nobody')).toEqual([]);
  });

  it('leads to what has a page', () => {
    expect(targetHref('task 12')).toBe('#tasks/12');
    expect(targetHref('container 0123456789ab')).toBe('#containers/0123456789ab');
    expect(targetHref('pod at-chat-0a1b-e1-x7k2p')).toBe('#pods/at-chat-0a1b-e1-x7k2p');
    expect(targetHref('token 1')).toBeUndefined();
  });
});

describe('options', () => {
  it('are found by name, value and help, and by whether they were set', () => {
    const one = {
      name: 'port',
      value: '8100',
      source: 'flag',
      set_by: '--port',
      help: 'The port to listen on',
    };
    const other = {
      name: 'host',
      value: '127.0.0.1',
      source: 'default',
      set_by: 'default',
      help: 'The address to listen on',
    };
    expect(matchingOptions([one, other], 'listen port', false)).toEqual([one]);
    expect(matchingOptions([one, other], '', true)).toEqual([one]);
    expect(matchingOptions([one, other], '127', false)).toEqual([other]);
  });
});

describe('the page of tokens', () => {
  it('hides those that ended until they are asked for', async () => {
    const soon = new Date(Date.now() + 90.5 * 86_400_000).toISOString();
    server.use(answer('/api/auth/tokens', [...tokens, { ...KEPT[0], id: 4, name: 'ci', expires_at: soon }]));
    const { user, address } = await renderAt(<SettingsPage />, { at: '/settings/tokens', route: ROUTE });
    expect(await screen.findByRole('rowheader', { name: 'dashboard' })).toBeVisible();
    expect(within(screen.getByRole('row', { name: /^ci / })).getByText('in 3 mo.')).toBeVisible();
    expect(screen.queryByRole('rowheader', { name: 'former colleague' })).toBeNull();
    await user.click(screen.getByRole('switch'));
    expect(address()).toBe('/settings/tokens?ended=shown');
    const row = screen.getByRole('row', { name: /former colleague/ });
    expect(within(row).queryByRole('button', { name: /Revoke/ })).toBeNull();
  });

  it('makes a token and shows its secret once', async () => {
    let asked: unknown;
    server.use(
      answer('/api/auth/tokens', tokens),
      http.post('*/api/auth/tokens', async ({ request }) => {
        asked = await request.json();
        return HttpResponse.json({ ...KEPT[2], name: 'ci', token: 'iat_secret' }, { status: 201 });
      }),
    );
    const { user } = await renderAt(<SettingsPage />, { at: '/settings/tokens?new=token', route: ROUTE });
    await user.type(await screen.findByRole('textbox', { name: /Name/ }), ' ci ');
    await user.click(screen.getByRole('button', { name: 'Viewer' }));
    await user.click(screen.getByRole('button', { name: 'Make the token' }));
    expect(await screen.findByText('iat_secret')).toBeVisible();
    expect(screen.getByText(/\?token=iat_secret/)).toBeVisible();
    expect(asked).toEqual({ name: 'ci', role: 'viewer', expires_in_days: 90 });
    await user.click(screen.getByRole('button', { name: 'I have copied it' }));
    await waitFor(() => expect(screen.queryByText('iat_secret')).toBeNull());
  });

  it('asks before it revokes, and warns who would log out themselves', async () => {
    const revoked: string[] = [];
    server.use(
      answer('/api/auth/tokens', tokens),
      answer('/api/auth/me', { name: 'dashboard', role: 'admin' }),
      http.delete('*/api/auth/tokens/:id', ({ params }) => {
        revoked.push(String(params.id));
        return new HttpResponse(null, { status: 204 });
      }),
    );
    const { user } = await renderAt(<SettingsPage />, { at: '/settings/tokens', route: ROUTE });
    await user.click(await screen.findByRole('button', { name: 'Revoke dashboard' }));
    expect(await screen.findByText(/you will be logged out at once/)).toBeVisible();
    expect(revoked).toEqual([]);
    await user.click(screen.getByRole('button', { name: 'Revoke' }));
    await waitFor(() => expect(revoked).toEqual(['3']));
  });
});

describe('the page of the audit log', () => {
  it('is paged by the service, filtered on the page, and told in detail', async () => {
    const asked: string[] = [];
    server.use(
      http.get('*/api/audit', ({ request }) => {
        asked.push(new URL(request.url).search);
        return HttpResponse.json(audit, { headers: { 'X-Total-Count': '240' } });
      }),
    );
    const { user, address } = await renderAt(<SettingsPage />, { at: '/settings/audit', route: ROUTE });
    expect(await screen.findByText('task.delete')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Next page' }));
    expect(address()).toBe('/settings/audit?page=2');
    await waitFor(() => expect(asked).toEqual(['?skip=0&limit=50', '?skip=50&limit=50']));
    await user.type(screen.getByRole('searchbox'), 'cancel');
    await waitFor(() => expect(screen.queryByText('task.delete')).toBeNull());
    const [detail] = screen.getAllByRole('button', { name: /Detail of row/ });
    await user.click(detail as HTMLElement);
    expect(screen.getByText(/"run": 1/)).toBeVisible();
    expect(detail).toHaveAttribute('aria-expanded', 'true');
  });
});

describe('the page of defaults', () => {
  const around = () =>
    server.use(
      answer('/api/system/health', { status: 'degraded', database: 'ok', worker: 'ok', docker: 'no socket' }),
    );

  it('shows every option and who set it, and how the service is', async () => {
    around();
    server.use(answer('/api/system/options', options));
    await renderAt(<SettingsPage />, { at: '/settings/defaults?q=data_dir', route: ROUTE });
    expect(await screen.findByText('data_dir')).toBeVisible();
    expect(screen.queryByText('stop_grace_seconds')).toBeNull();
    expect(await screen.findByText('no socket')).toBeVisible();
    expect(screen.getByRole('button', { name: 'English' })).toHaveAttribute('aria-pressed', 'true');
  });
});

describe('who is no administrator', () => {
  it.each(['tokens', 'audit', 'defaults'])('finds no error at %s, and what is theirs', async (part) => {
    server.use(
      answer('/api/auth/me', { name: 'ann', role: 'viewer' }),
      answer('/api/system/health', { status: 'healthy', database: 'ok', worker: 'ok', docker: 'ok' }),
    );
    await renderAt(<SettingsPage />, { at: `/settings/${part}`, route: ROUTE });
    expect(await screen.findByText(/You are here as ann, with the role Viewer/)).toBeVisible();
    expect(await screen.findByText('0.1.0')).toBeVisible();
    expect(screen.queryByRole('alert')).toBeNull();
  });
});
