/** Who is here, how the page looks, and the way out. */
import { useQuery } from '@tanstack/react-query';
import { CircleUser, Keyboard, Languages, LogOut, Monitor, Moon, Sun } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { me, useLogout } from '@/api/queries/access';
import { IconButton } from '@/components/Button';
import { Menu } from '@/components/Menu';
import { setLanguage } from '@/lib/i18n';
import { setTheme } from '@/lib/theme';
import { useOverlays } from './overlays';

export function UserMenu() {
  const { t, i18n } = useTranslation();
  const { data: caller } = useQuery(me);
  const logout = useLogout();
  const { open } = useOverlays();
  const other = i18n.resolvedLanguage === 'zh' ? 'en' : 'zh';
  const name = caller ? `${caller.name} · ${t(`role.${caller.role}`)}` : '';
  return (
    <Menu
      trigger={<IconButton icon={CircleUser} label={name || t('nav.settings')} />}
      entries={[
        { label: t('theme.light'), icon: Sun, onSelect: () => setTheme('light') },
        { label: t('theme.dark'), icon: Moon, onSelect: () => setTheme('dark') },
        { label: t('theme.system'), icon: Monitor, onSelect: () => setTheme('system') },
        {
          label: t(`language.${other}`),
          icon: Languages,
          onSelect: () => void setLanguage(other),
          startsGroup: true,
        },
        { label: t('keys.title'), icon: Keyboard, onSelect: () => open('keys'), hint: '?' },
        { label: t('action.logout'), icon: LogOut, onSelect: () => logout.mutate(), startsGroup: true },
      ]}
    />
  );
}
