/** The one way to the service's REST API; types come from its OpenAPI document. */
import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];
export type Problem = Schemas['ProblemBody'];

/** How long an answer may take before the question is given up. */
const DEADLINE = 30_000;

/** An answer that is none, with what the service says of it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly hint: string | null = null,
    readonly problems: Problem[] = [],
  ) {
    super(detail);
    this.name = 'ApiError';
  }

  /** Whether the service was not reached at all. */
  get isUnreachable(): boolean {
    return this.status === 0;
  }
}

/** What an answer says that is none. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => null)) as Partial<Schemas['ErrorBody']> | null;
  return new ApiError(
    response.status,
    body?.code ?? 'unknown',
    body?.detail ?? `${response.status} ${response.statusText}`.trim(),
    body?.hint ?? null,
    body?.problems ?? [],
  );
}

/** Asks with a deadline; what goes wrong is an {@link ApiError}, unless the asker gave up. */
export async function ask(
  request: Request | string,
  init: RequestInit = {},
  deadline = DEADLINE,
): Promise<Response> {
  const asker = init.signal ?? (request instanceof Request ? request.signal : undefined);
  const late = AbortSignal.timeout(deadline);
  const signal = asker ? AbortSignal.any([asker, late]) : late;
  let response: Response;
  try {
    response = await fetch(request, { ...init, signal });
  } catch (error) {
    if (asker?.aborted) throw error;
    const detail = late.aborted
      ? `The service did not answer within ${deadline / 1000} seconds`
      : 'The service does not answer';
    throw new ApiError(0, 'unreachable', detail);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** Typed by path: `await api.GET('/api/tasks/{id}', {params: {path: {id}}})`. It throws {@link ApiError}. */
export const api = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request: Request) => ask(request),
});

/** A page of a list, with how many there are in all. */
export interface Page<Item> {
  items: Item[];
  total: number;
}

/** The page that an answer is, by its header. */
export function pageOf<Item>(answer: { data?: Item[]; response: Response }): Page<Item> {
  const items = answer.data ?? [];
  const total = Number(answer.response.headers.get('X-Total-Count') ?? items.length);
  return { items, total: Number.isFinite(total) ? total : items.length };
}

/** The body of an answer that is there. */
export function bodyOf<Body>(answer: { data?: Body }): Body {
  if (answer.data === undefined) throw new ApiError(0, 'empty', 'The service gave an empty answer');
  return answer.data;
}
