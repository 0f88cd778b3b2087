/** What a task is about, changed in place. */
import { Pencil } from 'lucide-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/components/Button';
import { INPUT } from '@/components/Input';
import { cx } from '@/lib/cx';

export interface DescriptionProps {
  text: string | null | undefined;
  mayEdit: boolean;
  isSaving: boolean;
  /** Calls back when it is kept. */
  onSave: (text: string, done: () => void) => void;
}

export function Description({ text, mayEdit, isSaving, onSave }: DescriptionProps) {
  const { t } = useTranslation();
  const [isOpen, setOpen] = useState(false);
  if (isOpen)
    return (
      <Editor
        text={text ?? ''}
        isSaving={isSaving}
        onCancel={() => setOpen(false)}
        onSave={(typed) => onSave(typed, () => setOpen(false))}
      />
    );
  if (!mayEdit) return <span>{text}</span>;
  return (
    <button
      type="button"
      onClick={() => setOpen(true)}
      className="group/edit -mx-1.5 inline-flex items-baseline gap-2 rounded-md px-1.5 text-left text-muted hover:bg-sunken"
    >
      {text && <span className="sr-only">{t('tasks.description.edit')}: </span>}
      <span className={cx('min-w-0 break-words', !text && 'italic')}>
        {text || t('tasks.description.none')}
      </span>
      <Pencil
        aria-hidden
        className="size-3 shrink-0 opacity-0 group-hover/edit:opacity-100 group-focus-visible/edit:opacity-100"
      />
    </button>
  );
}

function Editor({
  text,
  isSaving,
  onCancel,
  onSave,
}: {
  text: string;
  isSaving: boolean;
  onCancel: () => void;
  onSave: (text: string) => void;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(text);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const save = () => (typed.trim() === text ? onCancel() : onSave(typed.trim()));
  const pressed = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onCancel();
    else if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) save();
    else return;
    event.preventDefault();
  };
  return (
    <span className="mt-1 flex max-w-3xl flex-wrap items-end gap-2">
      <textarea
        ref={field}
        aria-label={t('tasks.description.label')}
        rows={2}
        value={typed}
        disabled={isSaving}
        onChange={({ target }) => setTyped(target.value)}
        onKeyDown={pressed}
        className={cx(INPUT, 'min-w-64 flex-1 py-1.5')}
      />
      <Button kind="primary" onClick={save} isPending={isSaving}>
        {t('action.save')}
      </Button>
      <Button onClick={onCancel} disabled={isSaving}>
        {t('action.cancel')}
      </Button>
    </span>
  );
}
