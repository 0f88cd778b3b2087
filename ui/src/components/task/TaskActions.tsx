/** What can be done with one task: icons in lists, words on its own page. */
import {
  ChartColumn,
  CircleX,
  CopyPlus,
  Ellipsis,
  Eraser,
  FileDown,
  type LucideIcon,
  Pencil,
  Play,
  RotateCcw,
  ScrollText,
  Trash2,
} from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { exportUrl } from '@/api/queries/task-files';
import { Button, buttonClass, IconButton, iconButtonClass, type Tone } from '@/components/Button';
import { Menu, type MenuEntry } from '@/components/Menu';
import { Tip } from '@/components/Tip';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import { type ControlledTask, controlsOf, type TaskControl } from './controls';
import { useTaskControls } from './useTaskControls';

type RunControl = 'start' | 'cancel' | 'restart';

const RUN: Record<RunControl, { icon: LucideIcon; tone: Tone; word: string }> = {
  start: { icon: Play, tone: 'good', word: '' },
  cancel: { icon: CircleX, tone: 'bad', word: 'text-bad!' },
  restart: { icon: RotateCcw, tone: 'warn', word: 'text-warn!' },
};

export interface TaskActionsProps {
  task: ControlledTask;
  form?: 'icons' | 'words';
  onDeleted?: () => void;
  className?: string;
}

export function TaskActions({ task, form = 'icons', onDeleted, className }: TaskActionsProps) {
  const { t } = useTranslation();
  const mayOperate = useMay('operator');
  const controls = controlsOf(task);
  const { pending, isResting, run, remove } = useTaskControls(task, onDeleted);
  const has = (control: TaskControl) => controls.includes(control);
  const runControl = (['start', 'cancel', 'restart'] as const).find(has);
  const isEnding = runControl === 'cancel' && Boolean(task.is_cancel_requested);
  const isBusy = pending !== undefined;

  const entries: MenuEntry[] = [
    ...(mayOperate
      ? [{ label: t('tasks.control.duplicate'), icon: CopyPlus, href: href.newTask({ from: task.id }) }]
      : []),
    { label: t('tasks.control.exportYaml'), icon: FileDown, href: exportUrl(task.id, 'yaml') },
    { label: t('tasks.control.exportJson'), icon: FileDown, href: exportUrl(task.id, 'json') },
    ...(mayOperate
      ? [
          {
            label: t('tasks.control.clear'),
            icon: Eraser,
            onSelect: () => void run('clear'),
            isDisabled: !has('clear') || isBusy,
            startsGroup: true,
          },
          {
            label: t('tasks.control.delete'),
            icon: Trash2,
            onSelect: () => void remove(),
            isDisabled: !has('delete') || isBusy,
            isDangerous: true,
          },
        ]
      : []),
  ];

  const isWords = form === 'words';
  const control = mayOperate && runControl && (
    <RunButton
      key={runControl}
      control={runControl}
      isWords={isWords}
      isPending={isEnding || pending === runControl}
      isDisabled={isBusy || isResting}
      label={isEnding ? t('tasks.control.cancelling') : t(`tasks.control.${runControl}`)}
      onPress={() => void run(runControl)}
    />
  );
  const more = (
    <Menu
      trigger={
        <IconButton
          icon={Ellipsis}
          label={t('action.more')}
          isPending={pending === 'clear' || pending === 'delete'}
          className={isWords ? 'border border-line bg-surface shadow-card' : undefined}
        />
      }
      entries={entries}
    />
  );
  if (isWords) {
    return (
      <div className={cx('flex flex-wrap items-center gap-2', className)}>
        {mayOperate && has('edit') && (
          <a href={href.newTask({ edit: task.id })} className={buttonClass()}>
            <Pencil aria-hidden className="size-4" />
            {t('tasks.control.edit')}
          </a>
        )}
        {control}
        {more}
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields
    <div
      role="group"
      aria-label={t('tasks.control.of', { name: task.task_name })}
      className={cx('flex items-center justify-end', className)}
    >
      {mayOperate && has('edit') && (
        <IconLink
          href={href.newTask({ edit: task.id })}
          label={t('tasks.control.edit')}
          icon={<Pencil aria-hidden className="size-4" />}
        />
      )}
      {has('results') && (
        <IconLink
          href={href.taskPart(task.id, 'results')}
          label={t('tasks.control.results')}
          icon={<ChartColumn aria-hidden className="size-4" />}
        />
      )}
      <IconLink
        href={href.taskPart(task.id, 'logs')}
        label={t('tasks.control.logs')}
        icon={<ScrollText aria-hidden className="size-4" />}
      />
      {control}
      {more}
    </div>
  );
}

function IconLink({ href, label, icon }: { href: string; label: string; icon: ReactNode }) {
  return (
    <Tip text={label}>
      <a href={href} aria-label={label} className={iconButtonClass()}>
        {icon}
      </a>
    </Tip>
  );
}

function RunButton({
  control,
  isWords,
  isPending,
  isDisabled,
  label,
  onPress,
}: {
  control: RunControl;
  isWords: boolean;
  isPending: boolean;
  isDisabled: boolean;
  label: string;
  onPress: () => void;
}) {
  const { icon, tone, word } = RUN[control];
  const shared = { icon, isPending, disabled: isDisabled, onClick: onPress };
  if (!isWords) return <IconButton {...shared} tone={tone} label={label} />;
  return (
    <Button {...shared} kind={control === 'start' ? 'primary' : 'secondary'} className={word}>
      {label}
    </Button>
  );
}
