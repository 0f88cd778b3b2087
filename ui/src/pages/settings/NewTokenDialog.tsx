/** Makes a token, and shows its secret once. */
import { TriangleAlert } from 'lucide-react';
import { type FormEvent, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import type { Role } from '@/api/queries/access';
import { type MadeToken, useMakeToken } from '@/api/queries/settings';
import { Button } from '@/components/Button';
import { CodeBlock } from '@/components/Copy';
import { Dialog } from '@/components/Dialog';
import { Field, Input } from '@/components/Input';
import { Select } from '@/components/Select';
import { Segmented } from '@/components/Toggle';
import { notifyFailure } from '@/lib/notify';
import { loginLink } from './tokens';

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];
const DAYS = ['7', '30', '90', '365', 'never'] as const;

export function NewTokenDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const make = useMakeToken();
  const form = useId();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('operator');
  const [days, setDays] = useState<(typeof DAYS)[number]>('90');
  const problems = make.error instanceof ApiError ? make.error.problems : [];
  const problem = (path: string) => problems.find((one) => one.path === path)?.message;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate(
      { name: name.trim(), role, expires_in_days: days === 'never' ? null : Number(days) },
      {
        onError: (error) => {
          if (!(error instanceof ApiError) || !error.problems.some(({ path }) => path === 'name'))
            notifyFailure(t('settings.tokens.notMade'), error);
        },
      },
    );
  };
  if (make.data) return <Secret token={make.data} onClose={onClose} />;
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t('settings.tokens.create')}
      footer={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button
            type="submit"
            form={form}
            kind="primary"
            isPending={make.isPending}
            disabled={name.trim() === ''}
          >
            {t('settings.tokens.make')}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit} className="space-y-4">
        <Field
          label={t('settings.tokens.column.name')}
          help={t('settings.tokens.nameHelp')}
          error={problem('name')}
          isRequired
        >
          {(tie) => (
            <Input
              {...tie}
              autoFocus
              value={name}
              onChange={({ target }) => setName(target.value)}
              maxLength={64}
            />
          )}
        </Field>
        <div>
          <div aria-hidden className="mb-1 font-medium text-sm">
            {t('settings.tokens.column.role')}
          </div>
          <Segmented
            label={t('settings.tokens.column.role')}
            value={role}
            onChange={setRole}
            options={ROLES.map((value) => ({ value, label: t(`role.${value}`) }))}
          />
          <p className="mt-1 text-muted text-xs">{t(`settings.tokens.may.${role}`)}</p>
        </div>
        <Field label={t('settings.tokens.column.expires')} error={problem('expires_in_days')}>
          {(tie) => (
            <Select
              id={tie.id}
              value={days}
              onChange={setDays}
              options={DAYS.map((value) => ({
                value,
                label:
                  value === 'never'
                    ? t('settings.tokens.never')
                    : t('settings.tokens.inDays', { count: Number(value) }),
              }))}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}

function Secret({ token, onClose }: { token: MadeToken; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={t('settings.tokens.made', { name: token.name })}
      footer={
        <Button kind="primary" onClick={onClose}>
          {t('settings.tokens.copied')}
        </Button>
      }
    >
      <p className="mb-3 flex items-start gap-2 rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
        <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" />
        {t('settings.tokens.once')}
      </p>
      <h3 className="mb-1 font-medium text-sm">{t('login.token')}</h3>
      <CodeBlock text={token.token} label={t('settings.tokens.copyToken')} />
      <h3 className="mt-4 mb-1 font-medium text-sm">{t('settings.tokens.link')}</h3>
      <CodeBlock text={loginLink(token.token, window.location)} label={t('settings.tokens.copyLink')} />
      <p className="mt-1 text-muted text-xs">{t('settings.tokens.linkText')}</p>
    </Dialog>
  );
}
