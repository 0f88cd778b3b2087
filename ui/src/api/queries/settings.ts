/** Who may come in, who did what, and how the service is set up. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api, bodyOf, pageOf, type Schemas } from '../client';
import { keys } from '../keys';

export type Token = Schemas['TokenView'];
export type MadeToken = Schemas['MadeToken'];
export type TokenRequest = Schemas['TokenRequest'];
export type AuditRow = Schemas['AuditView'];

export const tokenList = queryOptions({
  queryKey: keys.tokens,
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/auth/tokens', { signal })),
});

/** Makes a token. Its secret is in the answer and never again. */
export function useMakeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (body: TokenRequest): Promise<MadeToken> =>
      bodyOf(await api.POST('/api/auth/tokens', { body })),
    // A secret is not kept longer than it is shown.
    gcTime: 0,
    onSuccess: () => client.invalidateQueries({ queryKey: keys.tokens }),
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: number) => api.DELETE('/api/auth/tokens/{id}', { params: { path: { id } } }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.tokens }),
  });
}

/** One page of what was done, the latest first. */
export const auditPage = (skip: number, limit: number) =>
  queryOptions({
    queryKey: keys.audit({ skip, limit }),
    placeholderData: keepPreviousData,
    staleTime: 5_000,
    queryFn: async ({ signal }) =>
      pageOf(await api.GET('/api/audit', { params: { query: { skip, limit } }, signal })),
  });

export type ServiceOption = Schemas['OptionView'];

/** Every option, and who set it. */
export const serviceOptions = queryOptions({
  queryKey: keys.system('options'),
  queryFn: async ({ signal }) => bodyOf(await api.GET('/api/system/options', { signal })),
});
