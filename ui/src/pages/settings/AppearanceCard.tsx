/** How the page looks, in this browser. */
import { Monitor, Moon, Sun } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Card } from '@/components/Card';
import { Segmented } from '@/components/Toggle';
import { LANGUAGES, type Language, setLanguage } from '@/lib/i18n';
import { setTheme, useTheme } from '@/lib/theme';

export function AppearanceCard() {
  const { t, i18n } = useTranslation();
  const { theme } = useTheme();
  const language = LANGUAGES.find((one) => one === i18n.resolvedLanguage) ?? 'en';
  return (
    <Card title={t('settings.appearance')}>
      <div className="space-y-3">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <span className="text-muted text-xs">{t('theme.label')}</span>
          <Segmented
            label={t('theme.label')}
            value={theme}
            onChange={setTheme}
            options={[
              { value: 'light', label: t('theme.light'), icon: Sun },
              { value: 'dark', label: t('theme.dark'), icon: Moon },
              { value: 'system', label: t('theme.system'), icon: Monitor },
            ]}
          />
        </div>
        <div className="flex flex-wrap items-center justify-between gap-2">
          <span className="text-muted text-xs">{t('language.label')}</span>
          <Segmented<Language>
            label={t('language.label')}
            value={language}
            onChange={(next) => void setLanguage(next)}
            options={LANGUAGES.map((value) => ({ value, label: t(`language.${value}`) }))}
          />
        </div>
        <p className="text-muted text-xs">{t('settings.appearanceText')}</p>
      </div>
    </Card>
  );
}
