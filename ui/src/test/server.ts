/**
 * A service that answers from memory, for tests: `server.use(answer('/api/tasks', rows))`.
 * What no test has told it is answered with 404, as the service does, and named in the error.
 */
import { HttpResponse, http, type JsonBodyType } from 'msw';
import { setupServer } from 'msw/node';
import { afterAll, afterEach, beforeAll } from 'vitest';

/** Answers a GET with a body; `total` is the header of a paged list. */
export function answer(path: string, body: JsonBodyType, total?: number) {
  return http.get(`*${path}`, () =>
    HttpResponse.json(
      body,
      total === undefined ? undefined : { headers: { 'X-Total-Count': String(total) } },
    ),
  );
}

/** Refuses a GET as the service refuses. */
export function refuse(path: string, status: number, detail: string, hint?: string) {
  return http.get(`*${path}`, () => HttpResponse.json({ detail, code: 'refused', hint }, { status }));
}

/** What every page asks: who is here, and which service it is. */
export const BASICS = [
  answer('/api/auth/me', { name: 'local', role: 'admin' }),
  answer('/api/system/info', {
    app_name: 'Inference Autotuner',
    version: '0.1.0',
    deployment_mode: 'docker',
    available_runtimes: ['vllm', 'sglang', 'tensorrt-llm', 'llamacpp', 'sim', 'custom'],
    kubernetes: false,
    timezone: 'UTC',
    started_at: '2026-11-29T06:00:00.000Z',
    uptime_seconds: 3600,
  }),
  http.all('*/api/*', ({ request }) =>
    HttpResponse.json(
      { detail: `Not Found: ${request.method} ${new URL(request.url).pathname}`, code: 'not_found' },
      { status: 404 },
    ),
  ),
];

export const server = setupServer(...BASICS);

/** Starts it for the tests of this file; what a test told it is forgotten after the test. */
export function startServer() {
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }));
  afterEach(() => server.resetHandlers());
  afterAll(() => server.close());
  return server;
}
