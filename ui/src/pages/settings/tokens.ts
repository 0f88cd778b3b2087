/** Where a token stands, and which of them are shown. */
import type { Token } from '@/api/queries/settings';

export type TokenState = 'active' | 'expired' | 'revoked';

export function stateOf(token: Token, now: number): TokenState {
  if (token.revoked_at) return 'revoked';
  return token.expires_at && new Date(token.expires_at).getTime() <= now ? 'expired' : 'active';
}

/** Active ones first, then those that ended; the newest first in each. */
export function ordered(tokens: readonly Token[], now: number): Token[] {
  const rank = (token: Token) => (stateOf(token, now) === 'active' ? 0 : 1);
  return tokens.toSorted((one, other) => rank(one) - rank(other) || other.id - one.id);
}

/** The link that logs a browser in with a token. */
export function loginLink(secret: string, location: { origin: string; pathname: string }): string {
  return `${location.origin}${location.pathname.replace(/[^/]*$/, '')}?token=${encodeURIComponent(secret)}`;
}
