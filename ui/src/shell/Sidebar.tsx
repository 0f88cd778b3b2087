/** The way to every page. */
import { useQuery } from '@tanstack/react-query';
import { useLocation } from '@tanstack/react-router';
import { BookOpenText, Search } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { systemInfo } from '@/api/queries/system';
import { buttonClass } from '@/components/Button';
import { Kbd } from '@/components/Kbd';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import { ConnectionBadge } from './ConnectionBadge';
import { GROUPS, isCurrent, isShown } from './navigation';
import { UserMenu } from './UserMenu';

const PALETTE_KEY = /mac|iphone|ipad/i.test(navigator.userAgent) ? '⌘K' : 'Ctrl K';

export function Sidebar({ onLeave, onPalette }: { onLeave?: () => void; onPalette: () => void }) {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  const isAdmin = useMay('admin');
  const mayOperate = useMay('operator');
  const { data: info } = useQuery(systemInfo);
  const hasCluster = info?.kubernetes ?? false;
  return (
    <div className="flex h-full flex-col">
      <div className="flex items-center gap-2.5 px-4 pt-4 pb-3">
        <img src="/icon.svg" alt="" className="size-8" />
        <div className="min-w-0 leading-tight">
          <a
            href={href.dashboard()}
            onClick={onLeave}
            className="block truncate font-semibold tracking-tight"
          >
            {t('app')}
          </a>
          <span className="text-faint text-xs">{info ? `v${info.version}` : ' '}</span>
        </div>
      </div>
      <div className="px-3 pb-2">
        <button
          type="button"
          onClick={onPalette}
          className="flex h-8 w-full items-center gap-2 rounded-lg border border-line bg-surface px-2.5 text-muted text-xs shadow-card hover:text-fg"
        >
          <Search aria-hidden className="size-3.5" />
          <span className="flex-1 truncate text-left">{t('palette.open')}</span>
          <Kbd>{PALETTE_KEY}</Kbd>
        </button>
      </div>
      <nav aria-label={t('nav.main')} className="min-h-0 flex-1 space-y-4 overflow-y-auto px-3 py-2">
        {GROUPS.map(({ key, destinations }) => {
          const shown = destinations.filter((one) => isShown(one, { isAdmin, hasCluster }));
          if (shown.length === 0) return null;
          return (
            <div key={key}>
              <h2 className="px-2 pb-1 font-medium text-2xs text-faint uppercase tracking-wider">
                {t(`nav.${key}`)}
              </h2>
              <ul className="space-y-0.5">
                {shown.map((destination) => {
                  const current = isCurrent(destination, pathname);
                  const Icon = destination.icon;
                  return (
                    <li key={destination.key}>
                      <a
                        href={destination.href}
                        onClick={onLeave}
                        aria-current={current ? 'page' : undefined}
                        className={cx(
                          'flex h-8 items-center gap-2.5 rounded-lg px-2 text-sm transition-colors',
                          current
                            ? 'bg-accent-soft font-medium text-accent'
                            : 'text-muted hover:bg-sunken hover:text-fg',
                        )}
                      >
                        <Icon aria-hidden className="size-4" />
                        {t(`nav.${destination.key}`)}
                      </a>
                    </li>
                  );
                })}
              </ul>
            </div>
          );
        })}
      </nav>
      <div className="space-y-2 border-line border-t px-3 py-3">
        {mayOperate && (
          <a href={href.newTask()} onClick={onLeave} className={cx(buttonClass('primary'), 'w-full')}>
            {t('nav.newTask')}
          </a>
        )}
        <div className="flex items-center justify-between gap-1">
          <ConnectionBadge />
          <div className="flex items-center">
            <a
              href="/docs"
              target="_blank"
              rel="noreferrer"
              aria-label={t('nav.apiDocs')}
              title={t('nav.apiDocs')}
              className="rounded-lg p-2 text-muted hover:bg-sunken hover:text-fg"
            >
              <BookOpenText aria-hidden className="size-4" />
            </a>
            <UserMenu />
          </div>
        </div>
      </div>
    </div>
  );
}
