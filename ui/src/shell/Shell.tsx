/** What stands around every page: who is here, the way to the others, and what is open above them. */
import { Dialog } from '@base-ui/react/dialog';
import { useQuery } from '@tanstack/react-query';
import { Outlet, useLocation } from '@tanstack/react-router';
import { Menu as MenuIcon, WifiOff } from 'lucide-react';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Toaster } from 'sonner';
import { ConnectionContext, useConnection, useEventStream } from '@/api/events';
import { me } from '@/api/queries/access';
import { Button, IconButton } from '@/components/Button';
import { AskProvider } from '@/components/Dialog';
import { Failed } from '@/components/States';
import { href } from '@/lib/navigate';
import { useTheme } from '@/lib/theme';
import { KeysHelp } from './KeysHelp';
import { Login } from './Login';
import { type Overlay, OverlayContext, useOverlays } from './overlays';
import { PagePending } from './PageStates';
import { Palette } from './Palette';
import { Sidebar } from './Sidebar';
import { useShortcuts } from './useShortcuts';

export function Shell() {
  const { isDark } = useTheme();
  const caller = useQuery(me);
  const isIn = Boolean(caller.data);
  const connection = useEventStream(isIn);
  const [overlay, setOverlay] = useState<Overlay | null>(null);
  const open = useCallback((next: Overlay) => setOverlay(next), []);
  const overlays = useMemo(() => ({ open }), [open]);
  useShortcuts(open, isIn);
  return (
    <ConnectionContext.Provider value={connection}>
      <OverlayContext.Provider value={overlays}>
        <AskProvider>
          {caller.isPending ? (
            <PagePending />
          ) : caller.isError && !caller.data ? (
            <Failed
              error={caller.error}
              onRetry={() => void caller.refetch()}
              className="min-h-dvh justify-center"
            />
          ) : isIn ? (
            <Frame />
          ) : (
            <Login />
          )}
          {isIn && <Palette isOpen={overlay === 'palette'} onClose={() => setOverlay(null)} />}
          <KeysHelp isOpen={overlay === 'keys'} onClose={() => setOverlay(null)} />
          <Toaster
            theme={isDark ? 'dark' : 'light'}
            position="bottom-right"
            richColors
            closeButton
            toastOptions={{ className: 'whitespace-pre-line' }}
          />
        </AskProvider>
      </OverlayContext.Provider>
    </ConnectionContext.Provider>
  );
}

function Frame() {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  const { open } = useOverlays();
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page begins at its top, for readers too
  useEffect(() => document.getElementById('content')?.focus({ preventScroll: true }), [pathname]);
  return (
    <div className="lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <button
        type="button"
        onClick={skip}
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg focus:bg-accent focus:px-3 focus:py-2 focus:text-accent-fg"
      >
        {t('nav.skip')}
      </button>
      <aside className="sticky top-0 hidden h-dvh border-line border-r bg-surface lg:block">
        <Sidebar onPalette={() => open('palette')} />
      </aside>
      <header className="sticky top-0 z-30 flex h-12 items-center gap-2 border-line border-b bg-surface/95 px-2 backdrop-blur lg:hidden">
        <IconButton icon={MenuIcon} label={t('nav.open')} onClick={() => setOpen(true)} />
        <a href={href.dashboard()} className="flex items-center gap-2 font-semibold">
          <img src="/icon.svg" alt="" className="size-6" />
          {t('app')}
        </a>
      </header>
      <Dialog.Root open={isOpen} onOpenChange={setOpen}>
        <Dialog.Portal>
          <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/45" />
          <Dialog.Popup className="fixed inset-y-0 left-0 z-40 w-64 border-line border-r bg-surface shadow-pop outline-none">
            <Dialog.Title className="sr-only">{t('nav.main')}</Dialog.Title>
            <Sidebar
              onLeave={() => setOpen(false)}
              onPalette={() => {
                setOpen(false);
                open('palette');
              }}
            />
          </Dialog.Popup>
        </Dialog.Portal>
      </Dialog.Root>
      <div className="min-w-0">
        <Notices />
        <main id="content" tabIndex={-1} className="outline-none">
          <Outlet />
        </main>
      </div>
    </div>
  );
}

/** The fragment is the address of the page, so a link within it has to move the focus itself. */
function skip() {
  document.getElementById('content')?.focus();
}

function Notices() {
  const { t } = useTranslation();
  const { connection, newVersion } = useConnection();
  if (connection === 'lost') {
    return (
      <div
        role="status"
        className="flex items-center justify-center gap-2 bg-warn-soft px-4 py-1.5 text-warn text-xs"
      >
        <WifiOff aria-hidden className="size-3.5" />
        {t('state.reconnecting')}
      </div>
    );
  }
  if (newVersion) {
    return (
      <div
        role="status"
        className="flex items-center justify-center gap-3 bg-info-soft px-4 py-1.5 text-info text-xs"
      >
        {t('state.newVersion', { version: newVersion })}
        <Button size="sm" onClick={() => window.location.reload()}>
          {t('action.reload')}
        </Button>
      </div>
    );
  }
  return null;
}
