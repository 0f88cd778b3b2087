/** The form, or its document as text. Which one is in the address. */
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';

export function TabBar({ active, hrefOf }: { active: string; hrefOf: (tab: string) => string }) {
  const { t } = useTranslation();
  return (
    <nav
      aria-label={t('form.tabs.label')}
      className="inline-flex rounded-lg border border-line bg-sunken p-0.5"
    >
      {['form', 'yaml', 'json'].map((tab) => (
        <a
          key={tab}
          href={hrefOf(tab)}
          aria-current={tab === active ? 'page' : undefined}
          className={cx(
            'inline-flex h-6.5 items-center rounded-md px-2.5 text-xs',
            tab === active ? 'bg-raised font-medium text-fg shadow-card' : 'text-muted hover:text-fg',
          )}
        >
          {t(`form.tabs.${tab}`)}
        </a>
      ))}
    </nav>
  );
}
