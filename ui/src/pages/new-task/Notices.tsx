/** What is worth saying above the form. */
import { History, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/components/Button';
import { cx } from '@/lib/cx';

function Notice({
  tone,
  icon: Icon,
  children,
  actions,
}: {
  tone: string;
  icon: typeof History;
  children: ReactNode;
  actions: ReactNode;
}) {
  return (
    <div
      role="status"
      className={cx(
        'mb-4 flex flex-wrap items-center justify-between gap-2 rounded-lg px-3 py-2 text-sm',
        tone,
      )}
    >
      <span className="flex min-w-0 items-center gap-2">
        <Icon aria-hidden className="size-4 shrink-0" />
        <span className="min-w-0 text-fg">{children}</span>
      </span>
      <span className="flex gap-2">{actions}</span>
    </div>
  );
}

export function RestoredNotice({ onDiscard, onKeep }: { onDiscard: () => void; onKeep: () => void }) {
  const { t } = useTranslation();
  return (
    <Notice
      tone="bg-info-soft text-info"
      icon={History}
      actions={
        <>
          <Button size="sm" onClick={onDiscard}>
            {t('form.draft.discard')}
          </Button>
          <Button size="sm" kind="ghost" onClick={onKeep}>
            {t('form.draft.keep')}
          </Button>
        </>
      }
    >
      {t('form.draft.restored')}
    </Notice>
  );
}

export function UnreadableNotice({
  format,
  line,
  onBack,
  onDiscard,
}: {
  format: string;
  line: number;
  onBack: () => void;
  onDiscard: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Notice
      tone="bg-warn-soft text-warn"
      icon={TriangleAlert}
      actions={
        <>
          <Button size="sm" onClick={onBack}>
            {t('form.text.back', { format: format.toUpperCase() })}
          </Button>
          <Button size="sm" kind="ghost" onClick={onDiscard}>
            {t('form.text.discard')}
          </Button>
        </>
      }
    >
      {t('form.text.kept', { format: format.toUpperCase(), line })}
    </Notice>
  );
}
