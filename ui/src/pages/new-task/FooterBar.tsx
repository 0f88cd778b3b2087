/** What stays in view below the form: how it stands, and the buttons that end it. */
import { CircleAlert, CircleCheck, LoaderCircle, TriangleAlert } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Checked } from '@/api/queries/check';
import { Button, buttonClass } from '@/components/Button';
import { useAllTold } from '@/components/form/problems';
import { Kbd } from '@/components/Kbd';
import { Tip } from '@/components/Tip';
import { cx } from '@/lib/cx';
import { duration, number } from '@/lib/format';
import type { Source } from './source';

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);

export function FooterBar({
  mode,
  checked,
  isChecking,
  isPending,
  pendingStart,
  mayWrite,
  cancelHref,
  onStatus,
  onSubmit,
}: {
  mode: Source['mode'];
  checked: Checked | undefined;
  isChecking: boolean;
  isPending: boolean;
  pendingStart: boolean;
  mayWrite: boolean;
  cancelHref: string;
  onStatus: () => void;
  onSubmit: (andStart: boolean) => void;
}) {
  const { t } = useTranslation();
  const all = useAllTold();
  const problems = all.filter(({ severity }) => severity === 'problem').length;
  const warnings = all.length - problems;
  const Icon = isChecking
    ? LoaderCircle
    : problems > 0
      ? CircleAlert
      : warnings > 0
        ? TriangleAlert
        : CircleCheck;
  const isEdit = mode === 'edit';
  return (
    <div className="sticky bottom-0 z-20 -mx-4 mt-5 -mb-5 border-line border-t bg-surface/95 px-4 py-2.5 backdrop-blur sm:-mx-6 sm:px-6 lg:-mx-8 lg:px-8">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <button
          type="button"
          onClick={onStatus}
          className="flex min-w-0 items-center gap-2 rounded-md px-1 py-1 text-sm hover:bg-sunken"
        >
          <Icon
            aria-hidden
            className={cx(
              'size-4 shrink-0',
              isChecking
                ? 'animate-spin text-muted'
                : problems > 0
                  ? 'text-bad'
                  : warnings > 0
                    ? 'text-warn'
                    : 'text-good',
            )}
          />
          <span className="num truncate">
            {problems > 0
              ? t('form.panel.problems', { count: problems })
              : isChecking
                ? t('form.panel.checking')
                : warnings > 0
                  ? t('form.panel.warnings', { count: warnings })
                  : t('form.panel.sound')}
            {checked?.experiments != null && (
              <span className="text-muted">
                {' · '}
                {t('form.panel.summary', {
                  count: checked.experiments,
                  experiments: number(checked.experiments, 6),
                  time: duration(checked.estimated_seconds),
                })}
              </span>
            )}
          </span>
        </button>
        <div className="flex flex-1 flex-wrap items-center justify-end gap-2 max-sm:basis-full">
          {!mayWrite && <span className="text-muted text-xs">{t('state.notAllowed')}</span>}
          <a href={cancelHref} className={buttonClass('ghost')}>
            {t('action.cancel')}
          </a>
          {!isEdit && (
            <Button
              disabled={!mayWrite || isPending}
              isPending={isPending && pendingStart}
              onClick={() => onSubmit(true)}
            >
              {t('form.createAndStart')}
            </Button>
          )}
          <Tip
            text={
              <span className="flex items-center gap-1">
                <Kbd>{IS_MAC ? '⌘' : 'Ctrl'}</Kbd>
                <Kbd>↵</Kbd>
              </span>
            }
          >
            <Button
              kind="primary"
              disabled={!mayWrite || isPending}
              isPending={isPending && !pendingStart}
              onClick={() => onSubmit(false)}
            >
              {t(isEdit ? 'form.save' : 'form.create')}
            </Button>
          </Tip>
        </div>
      </div>
    </div>
  );
}
