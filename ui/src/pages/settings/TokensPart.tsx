/** Who may come in. */
import { useQuery } from '@tanstack/react-query';
import { Ban, KeyRound, Plus } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { me } from '@/api/queries/access';
import { type Token, tokenList, useRevokeToken } from '@/api/queries/settings';
import { Badge } from '@/components/Badge';
import { Button, IconButton, type Tone } from '@/components/Button';
import { Card } from '@/components/Card';
import { useAsk } from '@/components/Dialog';
import { Empty, Failed, SkeletonRows } from '@/components/States';
import { Time, useNow } from '@/components/Time';
import { Tip } from '@/components/Tip';
import { Switch } from '@/components/Toggle';
import { useAddress } from '@/lib/address';
import { cx } from '@/lib/cx';
import { ago, moment } from '@/lib/format';
import { notifyDone, notifyFailure } from '@/lib/notify';
import { NewTokenDialog } from './NewTokenDialog';
import { ordered, stateOf, type TokenState } from './tokens';

export const ROLE_TONES: Record<string, Tone> = { viewer: 'neutral', operator: 'info', admin: 'accent' };
const STATE_TONES: Record<TokenState, Tone> = { active: 'good', expired: 'neutral', revoked: 'neutral' };

/** Columns that a phone has no room for. */
const NARROW = new Set(['state', 'created']);

export function TokensPart() {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const { data, error, isPending, refetch } = useQuery(tokenList);
  const { data: caller } = useQuery(me);
  const now = useNow(30_000);
  const all = ordered(data ?? [], now);
  const ended = all.filter((token) => stateOf(token, now) !== 'active');
  const isWhole = address.ended === 'shown';
  const shown = isWhole ? all : all.filter((token) => !ended.includes(token));
  return (
    <Card
      title={t('settings.tokens.title')}
      actions={
        <>
          {ended.length > 0 && (
            <Switch
              isOn={isWhole}
              onChange={(isOn) => change({ ended: isOn ? 'shown' : undefined })}
              label={<span className="text-xs">{t('settings.tokens.ended', { count: ended.length })}</span>}
            />
          )}
          <Button kind="primary" icon={Plus} onClick={() => change({ new: 'token' }, true)} className="ml-2">
            {t('settings.tokens.create')}
          </Button>
        </>
      }
      padded={false}
    >
      {isPending ? (
        <SkeletonRows rows={3} />
      ) : error && !data ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : shown.length === 0 ? (
        <Empty icon={KeyRound} title={t('settings.tokens.empty')} text={t('settings.tokens.emptyText')} />
      ) : (
        <div className="relative overflow-x-auto">
          <table className="w-full text-sm">
            <thead className="text-left text-muted text-xs">
              <tr>
                {['name', 'role', 'state', 'created', 'used', 'expires'].map((column) => (
                  <th
                    key={column}
                    scope="col"
                    className={cx(
                      'whitespace-nowrap px-4 py-2 font-medium',
                      NARROW.has(column) && 'max-sm:hidden',
                    )}
                  >
                    {t(`settings.tokens.column.${column}`)}
                  </th>
                ))}
                <th scope="col" className="px-4 py-2">
                  <span className="sr-only">{t('settings.tokens.revoke')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((token) => (
                <Row key={token.id} token={token} now={now} isOwn={token.name === caller?.name} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {address.new === 'token' && <NewTokenDialog onClose={() => change({ new: undefined })} />}
    </Card>
  );
}

function Row({ token, now, isOwn }: { token: Token; now: number; isOwn: boolean }) {
  const state = stateOf(token, now);
  const { t } = useTranslation();
  const ask = useAsk();
  const revoke = useRevokeToken();
  const end = async () => {
    const yes = await ask({
      title: t('settings.tokens.ask', { name: token.name }),
      text: isOwn ? t('settings.tokens.askOwn') : t('settings.tokens.askText'),
      confirm: t('settings.tokens.revoke'),
      isDangerous: true,
    });
    if (!yes) return;
    revoke.mutate(token.id, {
      onSuccess: () => notifyDone(t('settings.tokens.revoked', { name: token.name })),
      onError: (error) => notifyFailure(t('settings.tokens.notRevoked', { name: token.name }), error),
    });
  };
  const isActive = state === 'active';
  return (
    <tr className={cx('border-line border-t', !isActive && 'text-muted')}>
      <th scope="row" className="px-4 py-2 text-left font-medium">
        <span className="inline-flex flex-wrap items-center gap-2">
          {token.name}
          {isOwn && isActive && <Badge tone="accent">{t('settings.tokens.own')}</Badge>}
        </span>
      </th>
      <td className="px-4 py-2">
        <Badge tone={ROLE_TONES[token.role] ?? 'neutral'}>{t(`role.${token.role}`)}</Badge>
      </td>
      <td className="px-4 py-2 max-sm:hidden">
        <Badge tone={STATE_TONES[state]}>{t(`settings.tokens.state.${state}`)}</Badge>
      </td>
      <td className="whitespace-nowrap px-4 py-2 max-sm:hidden">
        <Time at={token.created_at} />
      </td>
      <td className="whitespace-nowrap px-4 py-2">
        {token.last_used_at ? <Time at={token.last_used_at} /> : t('settings.tokens.neverUsed')}
      </td>
      <td className="whitespace-nowrap px-4 py-2">
        {token.revoked_at ? (
          <>
            {t('settings.tokens.state.revoked')} <Time at={token.revoked_at} />
          </>
        ) : token.expires_at ? (
          <Tip text={moment(token.expires_at)}>
            <time dateTime={token.expires_at}>{ago(token.expires_at, now)}</time>
          </Tip>
        ) : (
          t('settings.tokens.never')
        )}
      </td>
      <td className="px-2 py-1 text-right">
        {isActive && (
          <IconButton
            icon={Ban}
            tone="bad"
            label={t('settings.tokens.revokeOne', { name: token.name })}
            isPending={revoke.isPending}
            onClick={() => void end()}
          />
        )}
      </td>
    </tr>
  );
}
