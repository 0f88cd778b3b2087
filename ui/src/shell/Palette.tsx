/** Everything by its name: pages, tasks, containers, and a few things to do. */
import { Dialog } from '@base-ui/react/dialog';
import { useQuery } from '@tanstack/react-query';
import { Box, CornerDownLeft, ListTodo, type LucideIcon, Moon, Plus, Search, Sun } from 'lucide-react';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { systemInfo } from '@/api/queries/system';
import { taskList } from '@/api/queries/tasks';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import { setTheme } from '@/lib/theme';
import { GROUPS, isShown } from './navigation';

interface Entry {
  key: string;
  group: string;
  label: string;
  detail?: string;
  icon: LucideIcon;
  run: () => void;
}

/** Whether the letters of a question stand in a text in this order; words that it begins with count most. */
export function rank(question: string, text: string): number {
  const [asked, told] = [question.toLowerCase().trim(), text.toLowerCase()];
  if (asked === '') return 1;
  const at = told.indexOf(asked);
  if (at === 0) return 4;
  if (at > 0) return /[\s\-_/]/.test(told[at - 1] ?? '') ? 3 : 2;
  let from = 0;
  for (const letter of asked) {
    from = told.indexOf(letter, from) + 1;
    if (from === 0) return 0;
  }
  return 1;
}

function useEntries(question: string): Entry[] {
  const { t } = useTranslation();
  const isAdmin = useMay('admin');
  const mayOperate = useMay('operator');
  const { data: tasks } = useQuery(taskList({ limit: 50 }));
  const { data: info } = useQuery(systemInfo);
  const hasCluster = info?.kubernetes ?? false;
  return useMemo(() => {
    const go = (to: string) => () => {
      window.location.hash = to;
    };
    const pages = GROUPS.flatMap(({ destinations }) => destinations)
      .filter((one) => isShown(one, { isAdmin, hasCluster }))
      .map(
        ({ key, icon, href }): Entry => ({
          key,
          group: t('palette.pages'),
          label: t(`nav.${key}`),
          icon,
          run: go(href),
        }),
      );
    const actions: Entry[] = [
      ...(mayOperate
        ? [
            {
              key: 'new',
              group: t('palette.actions'),
              label: t('nav.newTask'),
              icon: Plus,
              run: go(href.newTask()),
            },
          ]
        : []),
      {
        key: 'light',
        group: t('palette.actions'),
        label: t('theme.light'),
        detail: t('theme.label'),
        icon: Sun,
        run: () => setTheme('light'),
      },
      {
        key: 'dark',
        group: t('palette.actions'),
        label: t('theme.dark'),
        detail: t('theme.label'),
        icon: Moon,
        run: () => setTheme('dark'),
      },
    ];
    const found = (tasks?.items ?? []).map(
      (task): Entry => ({
        key: `task-${task.id}`,
        group: t('palette.tasks'),
        label: task.task_name,
        detail: t(`status.${task.status}`, { defaultValue: task.status }),
        icon: ListTodo,
        run: go(href.task(task.id)),
      }),
    );
    const inContainers: Entry[] =
      question.trim() === ''
        ? []
        : [
            {
              key: 'containers-q',
              group: t('palette.containers'),
              label: question,
              icon: Box,
              detail: t('nav.containers'),
              run: go(href.containers({ q: question })),
            },
          ];
    const matching = [...pages, ...actions, ...found]
      .map((entry) => ({ entry, value: rank(question, `${entry.label}`) }))
      .filter(({ value }) => value > 0);
    // The groups stay together, in the order of their best.
    const best = new Map<string, number>();
    for (const { entry, value } of matching)
      best.set(entry.group, Math.max(best.get(entry.group) ?? 0, value));
    const groups = [...best.keys()].sort((one, other) => (best.get(other) ?? 0) - (best.get(one) ?? 0));
    const ordered = groups.flatMap((group) =>
      matching
        .filter(({ entry }) => entry.group === group)
        .sort((one, other) => other.value - one.value)
        .slice(0, group === t('palette.tasks') ? 8 : 12)
        .map(({ entry }) => entry),
    );
    return [...ordered, ...inContainers];
  }, [question, tasks, isAdmin, hasCluster, mayOperate, t]);
}

export function Palette({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Popup className="fixed top-[12vh] left-1/2 z-40 w-[calc(100vw-2rem)] max-w-xl -translate-x-1/2 overflow-hidden rounded-xl border border-line bg-raised shadow-pop outline-none">
          <Dialog.Title className="sr-only">{t('palette.title')}</Dialog.Title>
          <PaletteBody onClose={onClose} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function PaletteBody({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const id = useId();
  const [question, setQuestion] = useState('');
  const [index, setIndex] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const entries = useEntries(question);
  const at = Math.min(index, Math.max(0, entries.length - 1));
  useEffect(() => {
    list.current?.querySelector(`[data-index="${at}"]`)?.scrollIntoView({ block: 'nearest' });
  }, [at]);
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.run();
  };
  const pressed = (event: KeyboardEvent) => {
    const moves: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
    const move = moves[event.key];
    if (move !== undefined) setIndex((at + move + entries.length) % Math.max(1, entries.length));
    else if (event.key === 'Enter') run(entries[at]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      <div className="flex items-center gap-2.5 border-line border-b px-4">
        <Search aria-hidden className="size-4 text-faint" />
        <input
          // biome-ignore lint/a11y/noAutofocus: the palette is opened to type
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={entries[at] ? `${id}-${at}` : undefined}
          aria-label={t('palette.title')}
          placeholder={t('palette.placeholder')}
          value={question}
          onChange={(event) => {
            setQuestion(event.target.value);
            setIndex(0);
          }}
          onKeyDown={pressed}
          className="h-12 flex-1 bg-transparent text-sm outline-none placeholder:text-faint"
        />
      </div>
      <div
        id={`${id}-list`}
        ref={list}
        role="listbox"
        aria-label={t('palette.title')}
        className="max-h-[50vh] overflow-y-auto p-1.5"
      >
        {entries.length === 0 && <p className="px-3 py-6 text-center text-muted">{t('palette.empty')}</p>}
        {entries.map((entry, index) => (
          <div key={entry.key} role="presentation">
            {entry.group !== entries[index - 1]?.group && (
              <div className="px-2.5 pt-2 pb-1 font-medium text-2xs text-faint uppercase tracking-wider">
                {entry.group}
              </div>
            )}
            <div
              id={`${id}-${index}`}
              data-index={index}
              role="option"
              tabIndex={-1}
              aria-selected={index === at}
              onMouseMove={() => setIndex(index)}
              onClick={() => run(entry)}
              onKeyDown={() => {}}
              className={cx(
                'flex cursor-default items-center gap-2.5 rounded-lg px-2.5 py-2',
                index === at && 'bg-accent-soft text-accent',
              )}
            >
              <entry.icon aria-hidden className="size-4 shrink-0 text-muted" />
              <span className="min-w-0 flex-1 truncate">{entry.label}</span>
              {entry.detail && <span className="text-muted text-xs">{entry.detail}</span>}
              {index === at && <CornerDownLeft aria-hidden className="size-3.5 text-faint" />}
            </div>
          </div>
        ))}
      </div>
    </>
  );
}
