import { screen, waitFor } from '@testing-library/react';
import { HttpResponse, http } from 'msw';
import { afterEach, describe, expect, it } from 'vitest';
import { renderAt } from '@/test/render';
import { startServer } from '@/test/server';
import { Login } from './Login';

const server = startServer();

afterEach(() => {
  window.location.hash = '';
});

describe('the door', () => {
  it('sends what is pasted, without what stands around it', async () => {
    let sent: unknown;
    server.use(
      http.post('*/api/auth/login', async ({ request }) => {
        sent = await request.json();
        return HttpResponse.json({ name: 'local', role: 'admin' });
      }),
    );
    const { user } = await renderAt(<Login />);
    const button = screen.getByRole('button', { name: 'Log in' });
    expect(button).toBeDisabled();
    await user.type(screen.getByLabelText('Access token'), '  iat_secret ');
    await user.click(button);
    await waitFor(() => expect(sent).toEqual({ token: 'iat_secret' }));
  });

  it('says that a token is not valid, and hides it until it is asked for', async () => {
    server.use(
      http.post('*/api/auth/login', () =>
        HttpResponse.json({ detail: 'no such token', code: 'unauthorized' }, { status: 401 }),
      ),
    );
    const { user } = await renderAt(<Login />);
    const field = screen.getByLabelText('Access token');
    expect(field).toHaveAttribute('type', 'password');
    await user.type(field, 'wrong{Enter}');
    expect(await screen.findByText(/not valid/)).toBeVisible();
    expect(field).toHaveAttribute('aria-invalid', 'true');
    await user.click(screen.getByRole('button', { name: 'Show the token' }));
    expect(field).toHaveAttribute('type', 'text');
  });

  it('says why a link did not let somebody in', async () => {
    window.location.hash = '#login?error=token';
    await renderAt(<Login />);
    expect(screen.getByText(/not valid/)).toBeVisible();
  });

  it('tells a refusal of another kind as it is', async () => {
    server.use(
      http.post('*/api/auth/login', () =>
        HttpResponse.json({ detail: 'Too many attempts', code: 'rate_limited' }, { status: 429 }),
      ),
    );
    const { user } = await renderAt(<Login />);
    await user.type(screen.getByLabelText('Access token'), 'x{Enter}');
    expect(await screen.findByText('Too many attempts')).toBeVisible();
  });
});
