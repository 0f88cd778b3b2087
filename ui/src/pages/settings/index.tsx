/** Settings: tokens and the audit log for administrators, how the service is set up, how the page looks. */
import { useQuery } from '@tanstack/react-query';
import { ShieldQuestion } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { me, useMay } from '@/api/queries/access';
import { Page } from '@/components/Page';
import { TabLinks } from '@/components/Tabs';
import { usePathPart } from '@/lib/address';
import { href } from '@/lib/navigate';
import { asWord } from '@/lib/search';
import { AboutCard } from './AboutCard';
import { AppearanceCard } from './AppearanceCard';
import { AuditPart } from './AuditPart';
import { DefaultsPart } from './DefaultsPart';
import { TokensPart } from './TokensPart';

const PARTS = ['tokens', 'audit', 'defaults'] as const;

export function SettingsPage() {
  const { t } = useTranslation();
  const part = asWord(usePathPart('part'), PARTS) ?? 'tokens';
  const isAdmin = useMay('admin');
  return (
    <Page
      title={isAdmin ? t(`nav.${part}`) : t('nav.settings')}
      description={isAdmin ? t(`settings.what.${part}`) : undefined}
    >
      {isAdmin && (
        <TabLinks
          label={t('nav.settings')}
          active={part}
          tabs={PARTS.map((key) => ({ key, label: t(`nav.${key}`), href: href.settings(key) }))}
        />
      )}
      {!isAdmin ? (
        <NotForYou />
      ) : part === 'tokens' ? (
        <TokensPart />
      ) : part === 'audit' ? (
        <AuditPart />
      ) : (
        <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_20rem]">
          <DefaultsPart />
          <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-1">
            <AboutCard />
            <AppearanceCard />
          </div>
        </div>
      )}
    </Page>
  );
}

/** Who is no administrator learns why, and finds here what is theirs. */
function NotForYou() {
  const { t } = useTranslation();
  const { data: caller } = useQuery(me);
  return (
    <div className="grid items-start gap-4 md:grid-cols-2">
      <section className="card flex gap-3 p-4 md:col-span-2">
        <ShieldQuestion aria-hidden className="mt-0.5 size-5 shrink-0 text-muted" />
        <div>
          <h2 className="font-semibold text-sm">{t('settings.notForYou.title')}</h2>
          <p className="mt-0.5 max-w-2xl text-muted">
            {t('settings.notForYou.text', {
              name: caller?.name,
              role: caller ? t(`role.${caller.role}`) : '',
            })}
          </p>
        </div>
      </section>
      <AboutCard />
      <AppearanceCard />
    </div>
  );
}
