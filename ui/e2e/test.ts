/** What every journey has: a service, a page that is logged in, and an eye on what the browser complains of. */
import { test as base, expect, type Page } from '@playwright/test';
import { Service } from './service';

export interface Fixtures {
  service: Service;
  /** A page that nobody has logged in. */
  stranger: Page;
}

/** What a browser may say of what is not wrong. */
const HARMLESS = [
  /status of 401/,
  /net::ERR_CONNECTION_REFUSED/,
  /net::ERR_INCOMPLETE_CHUNKED_ENCODING/,
  /net::ERR_NETWORK_IO_SUSPENDED/,
  /net::ERR_CONNECTION_RESET/,
  /net::ERR_EMPTY_RESPONSE/,
];

function watch(page: Page, complaints: string[], allowed: RegExp[]): void {
  const note = (text: string) => {
    if (![...HARMLESS, ...allowed].some((pattern) => pattern.test(text))) complaints.push(text);
  };
  page.on(
    'console',
    (message) => message.type() === 'error' && note(`${message.text()} (${message.location().url})`),
  );
  page.on('pageerror', (error) => note(`uncaught: ${error.message}`));
}

export const test = base.extend<
  Fixtures & { allowed: { complaints: RegExp[] }; environment: Record<string, string> }
>({
  /** Further complaints that a journey brings about on purpose. */
  allowed: [{ complaints: [] }, { option: true }],
  environment: [{}, { option: true }],
  service: async ({ environment }, use) => {
    const service = await Service.start(environment);
    await use(service);
    await service.close();
  },
  stranger: async ({ page, allowed }, use) => {
    const complaints: string[] = [];
    watch(page, complaints, allowed.complaints);
    await use(page);
    expect(complaints, 'what the browser complained of').toEqual([]);
  },
});

export { expect };

/** Logs in without the link, and shows a page. */
export async function visit(page: Page, service: Service, hash: string): Promise<void> {
  await page.context().request.post(`${service.url}/api/auth/login`, { data: { token: service.token } });
  await page.goto(`${service.url}/${hash}`);
}

/** A small task of the simulated engine: it takes a few seconds. */
export function smallTask(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    task_name: name,
    deployment_mode: 'local',
    base_runtime: 'sim',
    model: { id_or_path: 'sim-model' },
    parameters: { 'max-num-seqs': [8, 32] },
    optimization: {
      strategy: 'grid_search',
      objective: 'maximize_throughput',
      max_iterations: 2,
      max_replicates: 0,
      timeout_per_iteration: 60,
      seed: 1,
    },
    benchmark: {
      traffic_scenarios: ['D(32,16)'],
      num_concurrency: [4],
      max_time_per_iteration: 1,
      max_requests_per_iteration: 40,
      drain_seconds: 3,
    },
    ...more,
  };
}

/** Waits until a task has ended, by the API. */
export async function ended(service: Service, id: number): Promise<string> {
  let status = '';
  await expect
    .poll(
      async () => {
        status = (await service.ask<{ status: string }>('GET', `/api/tasks/${id}`)).status;
        return status;
      },
      { timeout: 90_000 },
    )
    .toMatch(/completed|failed|cancelled/);
  return status;
}
