/** The form: sections or text, what they come to beside them, and what ends it below. */
import { FileUp } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from 'sonner';
import { useMay } from '@/api/queries/access';
import { Dialog, useAsk } from '@/components/Dialog';
import type { CodeEditorHandle } from '@/components/editor/CodeEditor';
import { placeIn } from '@/components/editor/text';
import type { Json } from '@/components/form/json';
import { resolve } from '@/components/form/paths';
import { fieldElement, goToField, ProblemsProvider, type Told } from '@/components/form/problems';
import { DocumentProvider, DocumentStore } from '@/components/form/store';
import { Page } from '@/components/Page';
import { useAddress, useGo } from '@/lib/address';
import { href } from '@/lib/navigate';
import { asWord } from '@/lib/search';
import { dropDraft, readDraft, useDraft } from './draft';
import { FooterBar } from './FooterBar';
import { FormBody } from './FormBody';
import { HeaderActions } from './HeaderActions';
import { ImportDialog } from './ImportDialog';
import { RestoredNotice, UnreadableNotice } from './Notices';
import { SectionNav } from './SectionNav';
import { SidePanel } from './SidePanel';
import type { Source } from './source';
import { TextTab } from './TextTab';
import { useGiven } from './useGiven';
import { useLeaveGuard } from './useLeaveGuard';
import { useSubmit } from './useSubmit';
import { useTold } from './useTold';
import { isSameDocument, useWritten } from './useWritten';

const TABS = ['form', 'yaml', 'json'] as const;

export function TaskForm({
  source,
  initial,
  trail,
  title,
}: {
  source: Source;
  initial: Json;
  trail: React.ReactNode;
  title: string;
}) {
  const { t } = useTranslation();
  const ask = useAsk();
  const go = useGo();
  const mayWrite = useMay('operator');
  const [search] = useAddress();
  const tab = asWord(search.tab, TABS) ?? 'form';
  const [draft] = useState(() => readDraft(source.key));
  const [store] = useState(() => new DocumentStore(draft?.document ?? initial));
  const document = useSyncExternalStore(store.subscribe, store.get);
  const text = useWritten(store, document, tab, draft?.written);
  const { written, errors } = text;
  const [isRestored, setRestored] = useState(
    () => draft !== undefined && !isSameDocument(draft.document, initial),
  );
  const [isPlain, setPlain] = useState(source.mode !== 'new' || isRestored);
  const sayAll = useCallback(() => setPlain(true), []);
  const [isPanelOpen, setPanelOpen] = useState(false);
  const editor = useRef<CodeEditorHandle>(null);

  const isDirty = errors.length > 0 || !isSameDocument(document, initial);
  const endDraft = useDraft(source.key, isDirty, document, written);

  const askToLeave = useCallback(
    () =>
      ask({
        title: t('form.leave.title'),
        text: t('form.leave.text'),
        confirm: t('form.leave.confirm'),
        cancel: t('form.leave.stay'),
        isDangerous: true,
      }),
    [ask, t],
  );
  const free = useLeaveGuard(isDirty, askToLeave, endDraft);
  const saving = useSubmit(source, () => {
    free();
    endDraft();
  });
  const { forget } = saving;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another document was not refused yet
  useEffect(() => forget(), [document]);
  const { told, checked, isChecking, failure } = useTold(document, source, saving.refused, errors);
  const current = useRef({ told, isChecking });
  current.current = { told, isChecking };

  const { fill, receive, several, setSeveral, isOver } = useGiven(store, text.take, sayAll);

  const goTo = useCallback(
    (one: Told) => {
      setPlain(true);
      setPanelOpen(false);
      if (tab !== 'form') {
        const place = placeIn(written?.text ?? '', resolve(store.get(), one.path));
        editor.current?.goTo(errors[0]?.from ?? place?.from ?? 0, place?.to);
      } else if (one.field === undefined || !goToField(one.field)) {
        const isOwn = window.document.getElementById(`section-${one.path.split(/[.[]/)[0]}`);
        isOwn?.scrollIntoView({ block: 'start', behavior: 'smooth' });
      }
    },
    [tab, written, errors, store],
  );
  const goToFirst = useCallback(() => {
    // The page says what is wrong first.
    setTimeout(() => {
      const problems = current.current.told.filter(({ severity }) => severity === 'problem');
      const first = window.document.querySelector<HTMLElement>('[data-field] [aria-invalid=true]');
      const field = first?.closest<HTMLElement>('[data-field]')?.dataset.field;
      if (tab === 'form' && field !== undefined && fieldElement(field)) goToField(field);
      else if (problems[0]) goTo(problems[0]);
    }, 60);
  }, [tab, goTo]);
  const submit = useCallback(
    async (andStart: boolean) => {
      // What is still being typed becomes part of the document first.
      if (window.document.activeElement instanceof HTMLElement) window.document.activeElement.blur();
      await new Promise((done) => setTimeout(done));
      setPlain(true);
      // While it is checked, what is told is of an older document; the service judges this one itself.
      const { told, isChecking } = current.current;
      const isWrong = !isChecking && told.some(({ severity }) => severity === 'problem');
      const hasOwn = window.document.querySelector('[data-own-problem]') !== null;
      if ((isWrong && store.get() === document) || errors.length > 0 || hasOwn) {
        toast.error(t('form.mendFirst'), { position: 'top-center' });
        goToFirst();
      } else if (!(await saving.submit(store.get(), andStart))) goToFirst();
    },
    [store, document, errors, saving.submit, goToFirst, t],
  );
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || !mayWrite || saving.isPending) return;
      event.preventDefault();
      void submit(false);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [submit, mayWrite, saving.isPending]);

  const isKept = errors.length > 0 && written !== undefined && tab !== written.format;
  const panel = { checked, isChecking, failure, onGo: goTo };
  const cancelHref = source.id === undefined ? href.tasks() : href.task(source.id);
  const toTab = useMemo(
    () => (next: string) =>
      href.newTask({
        edit: search.edit,
        from: search.from,
        presets: search.presets,
        merge: search.merge,
        tab: next === 'form' ? undefined : next,
      }),
    [search.edit, search.from, search.presets, search.merge],
  );
  return (
    <DocumentProvider value={store}>
      <ProblemsProvider told={told} isPlain={isPlain}>
        <Page
          title={title}
          trail={trail}
          actions={
            <HeaderActions
              tab={tab}
              hrefOf={toTab}
              onGiven={receive}
              onDemo={source.mode === 'new' && !isDirty ? fill : undefined}
            />
          }
        >
          {isRestored && (
            <RestoredNotice
              onKeep={() => setRestored(false)}
              onDiscard={() => {
                store.replace(initial);
                text.take(undefined);
                dropDraft(source.key);
                setRestored(false);
                setPlain(source.mode !== 'new');
              }}
            />
          )}
          {isKept && (
            <UnreadableNotice
              format={written.format}
              line={errors[0]?.line ?? 1}
              onBack={() => go(toTab(written.format))}
              onDiscard={() => text.take(undefined)}
            />
          )}
          <div
            className={
              tab === 'form'
                ? 'grid gap-4 lg:grid-cols-[minmax(0,1fr)_20rem] xl:grid-cols-[9.5rem_minmax(0,1fr)_21rem]'
                : 'grid gap-4 lg:grid-cols-[minmax(0,1fr)_21rem]'
            }
          >
            {tab === 'form' ? (
              <>
                <div className="contents lg:col-span-2 lg:block xl:contents">
                  <SectionNav />
                </div>
                <FormBody mode={source.mode} />
              </>
            ) : isKept || written?.format !== tab ? (
              <div />
            ) : (
              <TextTab
                text={written.text}
                format={tab}
                errors={errors}
                onChange={text.type}
                editor={editor}
              />
            )}
            <aside aria-label={t('form.panel.title')} className="hidden min-w-0 lg:block">
              <div className="sticky top-4 max-h-[calc(100dvh-6rem)] overflow-y-auto">
                <SidePanel {...panel} />
              </div>
            </aside>
          </div>
          <FooterBar
            mode={source.mode}
            checked={checked}
            isChecking={isChecking}
            isPending={saving.isPending}
            pendingStart={saving.pendingStart}
            mayWrite={mayWrite}
            cancelHref={cancelHref}
            onStatus={() => {
              if (window.matchMedia('(min-width: 64rem)').matches) goToFirst();
              else setPanelOpen(true);
            }}
            onSubmit={(andStart) => void submit(andStart)}
          />
          <Dialog isOpen={isPanelOpen} onClose={() => setPanelOpen(false)} title={t('form.panel.title')}>
            <SidePanel {...panel} />
          </Dialog>
          <ImportDialog
            documents={several}
            onClose={() => setSeveral(undefined)}
            onPick={(one) => fill(one)}
          />
          {isOver && (
            <div className="pointer-events-none fixed inset-3 z-50 flex items-center justify-center rounded-2xl border-2 border-accent border-dashed bg-accent-soft/90">
              <p className="flex items-center gap-3 font-semibold text-accent text-lg">
                <FileUp aria-hidden className="size-6" />
                {t('form.import.drop')}
              </p>
            </div>
          )}
        </Page>
      </ProblemsProvider>
    </DocumentProvider>
  );
}
