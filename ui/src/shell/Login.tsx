/** The door: a token, pasted. Who opens the link that the service printed never sees it. */
import { Eye, EyeOff, LogIn } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { useLogin } from '@/api/queries/access';
import { Button, IconButton } from '@/components/Button';
import { Field, Input } from '@/components/Input';
import { usePageTitle } from '@/components/Page';

export function Login() {
  const { t } = useTranslation();
  usePageTitle(t('login.title'));
  const login = useLogin();
  const [token, setToken] = useState('');
  const [isShown, setShown] = useState(false);
  // What the service says of a token in an address that it did not take.
  const refusal = /[?&]error=(token|wait|service)/.exec(window.location.hash.replace('#login', ''))?.[1];
  const problem = login.error
    ? login.error instanceof ApiError && login.error.status === 401
      ? t('login.wrong')
      : login.error.message
    : refusal && !login.isPending
      ? t(refusal === 'token' ? 'login.wrong' : `login.${refusal}`)
      : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const text = token.trim();
    if (text === '') return;
    login.mutate(text, {
      onSuccess: () => {
        if (window.location.hash.startsWith('#login')) window.location.replace('#dashboard');
      },
    });
  };
  return (
    <main className="flex min-h-dvh items-center justify-center p-4">
      <div className="card w-full max-w-md p-7">
        <div className="mb-5 flex items-center gap-3">
          <img src="/icon.svg" alt="" className="size-10" />
          <div>
            <h1 className="font-semibold text-lg leading-6">{t('app')}</h1>
            <p className="text-muted">{t('login.title')}</p>
          </div>
        </div>
        <p className="mb-4 text-muted">{t('login.text')}</p>
        <form onSubmit={submit} className="space-y-4">
          <Field label={t('login.token')} help={t('login.where')} error={problem}>
            {(tie) => (
              <div className="flex gap-1">
                <Input
                  {...tie}
                  autoFocus
                  type={isShown ? 'text' : 'password'}
                  autoComplete="current-password"
                  value={token}
                  onChange={(event) => setToken(event.target.value)}
                  className="font-mono"
                />
                <IconButton
                  icon={isShown ? EyeOff : Eye}
                  label={isShown ? t('login.hide') : t('login.show')}
                  onClick={() => setShown(!isShown)}
                />
              </div>
            )}
          </Field>
          <Button
            type="submit"
            kind="primary"
            size="lg"
            icon={LogIn}
            isPending={login.isPending}
            disabled={token.trim() === ''}
            className="w-full"
          >
            {t('login.submit')}
          </Button>
        </form>
      </div>
    </main>
  );
}
