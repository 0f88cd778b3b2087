/** The one home of what the service said: the query cache. */
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError } from './client';

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
        // What the service refuses it refuses again; only who was not reached is asked again.
        retry: (count, error) =>
          error instanceof ApiError && (error.isUnreachable || error.status === 503) && count < 2,
        refetchOnWindowFocus: true,
      },
    },
  });
  return client;
}
