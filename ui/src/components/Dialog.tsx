/** Our own dialogs: one that holds anything, and one that asks before something is lost. */
import { AlertDialog } from '@base-ui/react/alert-dialog';
import { Dialog as Base } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import { Button, IconButton } from './Button';

const BACKDROP =
  'fixed inset-0 z-40 bg-black/45 backdrop-blur-[1px] transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0';
const POPUP =
  'fixed top-1/2 left-1/2 z-40 flex max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2 flex-col rounded-xl border border-line bg-raised shadow-pop outline-none transition-[opacity,scale] duration-150 data-ending-style:scale-[0.98] data-ending-style:opacity-0 data-starting-style:scale-[0.98] data-starting-style:opacity-0';
const WIDTHS = { sm: 'max-w-md', md: 'max-w-xl', lg: 'max-w-4xl' };

export interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  width?: keyof typeof WIDTHS;
}

export function Dialog({ isOpen, onClose, title, description, children, footer, width = 'md' }: DialogProps) {
  const { t } = useTranslation();
  const popup = useRef<HTMLDivElement>(null);
  // Who opens a form wants to type; the button that closes it comes first and is wanted last.
  const first = () =>
    popup.current?.querySelector<HTMLElement>('input, textarea, select, [role="combobox"]') ?? popup.current;
  return (
    <Base.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={BACKDROP} />
        <Base.Popup ref={popup} initialFocus={first} className={cx(POPUP, WIDTHS[width])}>
          <header className="flex items-start justify-between gap-3 px-5 pt-4 pb-2">
            <div className="min-w-0">
              <Base.Title className="font-semibold text-base">{title}</Base.Title>
              {description && (
                <Base.Description className="mt-0.5 text-muted">{description}</Base.Description>
              )}
            </div>
            <IconButton label={t('action.close')} icon={X} onClick={onClose} className="-mr-2" />
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 pt-1 pb-5">{children}</div>
          {footer && (
            <footer className="flex justify-end gap-2 border-line border-t px-5 py-3">{footer}</footer>
          )}
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

export interface Question {
  title: string;
  text?: ReactNode;
  /** What the button says that does it. */
  confirm: string;
  cancel?: string;
  /** What is lost cannot be had back. */
  isDangerous?: boolean;
}

type Ask = (question: Question) => Promise<boolean>;
const AskContext = createContext<Ask>(() => Promise.resolve(false));

/** Asks, and tells whether the answer was yes. */
export function useAsk(): Ask {
  return useContext(AskContext);
}

/** Holds the one question that can be open. */
export function AskProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState<{ question: Question; answer: (yes: boolean) => void } | null>(null);
  const [isShown, setShown] = useState(false);
  const ask = useCallback<Ask>(
    (question) =>
      new Promise((answer) => {
        setOpen({ question, answer });
        setShown(true);
      }),
    [],
  );
  const end = (yes: boolean) => {
    open?.answer(yes);
    setShown(false);
  };
  const question = open?.question;
  const value = useMemo(() => ask, [ask]);
  return (
    <AskContext.Provider value={value}>
      {children}
      <AlertDialog.Root open={isShown} onOpenChange={(next) => !next && end(false)}>
        <AlertDialog.Portal>
          <AlertDialog.Backdrop className={BACKDROP} />
          <AlertDialog.Popup className={cx(POPUP, WIDTHS.sm, 'p-5')}>
            <AlertDialog.Title className="font-semibold text-base">{question?.title}</AlertDialog.Title>
            <AlertDialog.Description render={<div />} className="mt-1.5 text-muted">
              {question?.text}
            </AlertDialog.Description>
            <div className="mt-5 flex justify-end gap-2">
              <Button onClick={() => end(false)}>{question?.cancel ?? t('action.cancel')}</Button>
              <Button kind={question?.isDangerous ? 'danger' : 'primary'} onClick={() => end(true)}>
                {question?.confirm}
              </Button>
            </div>
          </AlertDialog.Popup>
        </AlertDialog.Portal>
      </AlertDialog.Root>
    </AskContext.Provider>
  );
}
