/** What the document would come to: size, time, commands, and everything that is wrong with it. */
import { CircleAlert, CircleCheck, LoaderCircle, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Checked } from '@/api/queries/check';
import { CopyButton } from '@/components/Copy';
import { type Told, useAllTold } from '@/components/form/problems';
import { cx } from '@/lib/cx';
import { duration, number } from '@/lib/format';

export interface PanelProps {
  checked: Checked | undefined;
  isChecking: boolean;
  /** Why there was no check. */
  failure?: string;
  onGo: (told: Told) => void;
}

function Figure({ label, value, hint }: { label: string; value: ReactNode; hint?: string }) {
  return (
    <div className="min-w-0 px-3 py-2.5">
      <dt className="truncate text-muted text-xs">{label}</dt>
      <dd className="num truncate font-semibold text-base">{value}</dd>
      {hint && <dd className="text-faint text-xs leading-4">{hint}</dd>}
    </div>
  );
}

/** The arguments of a command, with those marked that another one lacks. */
export function markedArguments(
  command: string,
  other: string | null | undefined,
): { text: string; isOwn: boolean }[] {
  const words = command.split(/\s+(?=-)/);
  const others = new Set(other?.split(/\s+(?=-)/) ?? []);
  return words.map((text) => ({ text, isOwn: other != null && !others.has(text) }));
}

function Command({ title, command, other }: { title: string; command: string; other?: string | null }) {
  const { t } = useTranslation();
  return (
    <div>
      <div className="flex items-center justify-between">
        <h3 className="font-medium text-xs">{title}</h3>
        <CopyButton text={command} label={t('form.panel.copy', { what: title })} />
      </div>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        className="max-h-52 overflow-auto rounded-lg border border-line bg-sunken p-2.5 font-mono text-2xs leading-4.5 whitespace-pre-wrap break-words"
      >
        {markedArguments(command, other).map(({ text, isOwn }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a command has its order
          <span key={index}>
            {index > 0 && ' '}
            {isOwn ? (
              <mark className="inline-block max-w-full rounded bg-accent-soft px-0.5 text-accent">
                {text}
              </mark>
            ) : (
              <span className="inline-block max-w-full">{text}</span>
            )}
          </span>
        ))}
      </pre>
    </div>
  );
}

function ToldRow({ told, onGo }: { told: Told; onGo: (told: Told) => void }) {
  const { t } = useTranslation();
  const isProblem = told.severity === 'problem';
  const Icon = isProblem ? CircleAlert : TriangleAlert;
  return (
    <li>
      <button
        type="button"
        onClick={() => onGo(told)}
        className="flex w-full gap-2 rounded-md px-2 py-1.5 text-left hover:bg-sunken"
      >
        <Icon aria-hidden className={cx('mt-0.5 size-3.5 shrink-0', isProblem ? 'text-bad' : 'text-warn')} />
        <span className="min-w-0 text-xs">
          <span className="sr-only">{t(isProblem ? 'form.panel.problem' : 'form.panel.warning')}: </span>
          {told.path !== '' && (
            <code className="block truncate font-mono text-2xs text-muted">{told.path}</code>
          )}
          <span className="break-words">{told.message}</span>
          {told.hint && <span className="line-clamp-3 break-words text-muted">{told.hint}</span>}
        </span>
      </button>
    </li>
  );
}

export function ToldSummary({ isChecking, failure, onGo }: Omit<PanelProps, 'checked'>) {
  const { t } = useTranslation();
  const all = useAllTold();
  const problems = all.filter(({ severity }) => severity === 'problem');
  const warnings = all.filter(({ severity }) => severity === 'warning');
  return (
    <div>
      <h2 aria-live="polite" className="flex items-center gap-2 px-2 font-semibold text-sm">
        {isChecking ? (
          <LoaderCircle aria-hidden className="size-4 animate-spin text-muted" />
        ) : problems.length > 0 ? (
          <CircleAlert aria-hidden className="size-4 text-bad" />
        ) : failure ? (
          <TriangleAlert aria-hidden className="size-4 text-warn" />
        ) : (
          <CircleCheck aria-hidden className="size-4 text-good" />
        )}
        {problems.length > 0
          ? t('form.panel.problems', { count: problems.length })
          : isChecking
            ? t('form.panel.checking')
            : failure
              ? t('form.panel.unchecked')
              : t('form.panel.sound')}
        {warnings.length > 0 && (
          <span className="font-normal text-warn text-xs">
            {t('form.panel.warnings', { count: warnings.length })}
          </span>
        )}
      </h2>
      {failure && <p className="mt-1 px-2 text-muted text-xs">{failure}</p>}
      {all.length > 0 && (
        <ul className="mt-1.5 max-h-80 overflow-y-auto">
          {[...problems, ...warnings].map((told) => (
            <ToldRow key={`${told.path} ${told.message}`} told={told} onGo={onGo} />
          ))}
        </ul>
      )}
    </div>
  );
}

export function SidePanel(props: PanelProps) {
  const { checked, isChecking } = props;
  const { t } = useTranslation();
  const isKnown = checked?.experiments !== undefined && checked.experiments !== null;
  const nothing = '–';
  const endless = isKnown && (checked.space_size === null || checked.space_size === undefined);
  return (
    <div className="space-y-3 [font-variant-ligatures:none]">
      <div className="card p-2 py-3">
        <ToldSummary {...props} />
      </div>
      <section aria-label={t('form.panel.title')} className="card">
        <dl
          aria-busy={isChecking}
          className={cx(
            'grid grid-cols-3 divide-x divide-line transition-opacity',
            isChecking && 'opacity-60',
          )}
        >
          <Figure
            label={t('form.panel.space')}
            value={endless ? '∞' : isKnown ? number(checked.space_size, 6) : nothing}
            hint={endless ? t('form.panel.endless') : undefined}
          />
          <Figure
            label={t('form.panel.experiments')}
            value={isKnown ? number(checked.experiments, 6) : nothing}
          />
          <Figure
            label={t('form.panel.time')}
            value={isKnown ? `≤ ${duration(checked.estimated_seconds)}` : nothing}
          />
        </dl>
        <p className="border-line border-t px-3 py-2 text-faint text-xs">
          {t(isKnown ? 'form.panel.note' : 'form.panel.unknown')}
        </p>
        {isKnown && (
          <div className="space-y-2 border-line border-t p-3 pt-2">
            {checked.first_command === checked.baseline_command ? null : checked.first_command ? (
              <Command
                title={t('form.panel.first')}
                command={checked.first_command}
                other={checked.baseline_command}
              />
            ) : (
              <p className="text-muted text-xs">{t('form.panel.noCommand')}</p>
            )}
            {checked.baseline_command && (
              <Command title={t('form.panel.baseline')} command={checked.baseline_command} />
            )}
          </div>
        )}
      </section>
    </div>
  );
}
