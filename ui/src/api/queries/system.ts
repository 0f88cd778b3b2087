/** The service itself. */
import { queryOptions } from '@tanstack/react-query';
import { api, bodyOf } from '../client';
import { keys } from '../keys';

export const systemInfo = queryOptions({
  queryKey: keys.system('info'),
  staleTime: 300_000,
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/system/info', { signal })),
});

export const systemHealth = queryOptions({
  queryKey: keys.system('health'),
  refetchInterval: 30_000,
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/system/health', { signal })),
});
