/** The one home of what the service said: the query cache. */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './client';

/** What the service refuses it refuses again; who was not reached is asked again. Docker has its own page. */
function isPassing(error: Error): boolean {
  if (!(error instanceof ApiError)) return false;
  return error.isUnreachable || (error.status === 503 && error.code !== 'docker_unreachable');
}

/** Who must log in again learns it from whichever question was refused first. */
export function createQueryClient(): QueryClient {
  const refused = (error: Error) => {
    if (error instanceof ApiError && error.status === 401)
      void client.invalidateQueries({ queryKey: ['me'] });
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError: (error, query) => query.queryKey[0] !== 'me' && refused(error) }),
    mutationCache: new MutationCache({ onError: refused }),
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        retry: (count, error) => isPassing(error) && count < 2,
        refetchOnWindowFocus: true,
      },
    },
  });
  return client;
}
