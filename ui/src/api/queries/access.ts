/** Who is here, and what they may do. */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ApiError, api, bodyOf, type Schemas } from '../client';
import { keys } from '../keys';

export type Role = Schemas['RoleWord'];

const RANK: Record<Role, number> = { viewer: 0, operator: 1, admin: 2 };

/** Who is logged in; `null` where nobody is. */
export const me = queryOptions({
  queryKey: keys.me,
  staleTime: 60_000,
  queryFn: async ({ signal }) => {
    try {
      return bodyOf(await api.GET('/api/auth/me', { signal }));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
});

/** Whether who is here has at least this role. */
export function useMay(role: Role): boolean {
  const { data } = useQuery(me);
  return data ? RANK[data.role] >= RANK[role] : false;
}

/** Logs in with a token. */
export function useLogin() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (token: string) => bodyOf(await api.POST('/api/auth/login', { body: { token } })),
    onSuccess: () => client.invalidateQueries(),
  });
}

/** Ends the session of this browser. */
export function useLogout() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.POST('/api/auth/logout'),
    onSuccess: async () => {
      // Who looks at what is removed is not told of it: first the page learns that nobody is here.
      await client.cancelQueries({ queryKey: keys.me });
      client.setQueryData(keys.me, null);
      client.removeQueries({ predicate: ({ queryKey: [word] }) => word !== keys.me[0] });
    },
  });
}
