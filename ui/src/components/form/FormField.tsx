/** A field of the document: its label, its help, and what is wrong with what stands there. */
import { CircleAlert, TriangleAlert } from 'lucide-react';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import type { Path } from './json';
import { dotted } from './paths';
import { type Told, useFieldProblems } from './problems';

/** What ties a control to its label, help and problems. */
export interface Tie {
  id: string;
  'aria-invalid': boolean | undefined;
  'aria-describedby': string | undefined;
}

/** What is told at a place, one a line. */
export function ToldList({ told, id }: { told: readonly Told[]; id?: string }) {
  if (told.length === 0) return null;
  return (
    <ul id={id} className="mt-1 space-y-0.5">
      {told.map(({ path, message, hint, severity }) => {
        const Icon = severity === 'problem' ? CircleAlert : TriangleAlert;
        return (
          <li
            key={`${path} ${message}`}
            className={cx('flex gap-1.5 text-xs', severity === 'problem' ? 'text-bad' : 'text-warn')}
          >
            <Icon aria-hidden className="mt-0.5 size-3 shrink-0" />
            <span className="min-w-0 break-words">
              {message}
              {hint && <span className="text-muted"> — {hint}</span>}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

export interface FormFieldProps {
  path: Path;
  /** Left out where the control has its own. */
  label?: ReactNode;
  help?: ReactNode;
  isRequired?: boolean;
  /** The label is there for readers only. */
  hideLabel?: boolean;
  /** Several controls under one name. */
  isGroup?: boolean;
  /** Beside the label. */
  aside?: ReactNode;
  className?: string;
  children: (tie: Tie, told: readonly Told[]) => ReactNode;
}

export function FormField({
  path,
  label,
  help,
  isRequired = false,
  hideLabel = false,
  isGroup = false,
  aside,
  className,
  children,
}: FormFieldProps) {
  const id = useId();
  const { t } = useTranslation();
  const name = dotted(path);
  const { told, visit } = useFieldProblems(name);
  const isInvalid = told.some(({ severity }) => severity === 'problem');
  const described = [help && `${id}-help`, told.length > 0 && `${id}-told`].filter(Boolean).join(' ');
  const text = (
    <>
      {label}
      {isRequired && (
        <span className="text-bad" title={t('form.required')}>
          {' *'}
        </span>
      )}
    </>
  );
  const labelClass = cx('block font-medium text-fg text-sm', hideLabel && 'sr-only');
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hears that it was left
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: they stand there with the role of a group alone
    <div
      role={isGroup ? 'group' : undefined}
      aria-labelledby={isGroup && label !== undefined ? `${id}-label` : undefined}
      aria-describedby={isGroup && described ? described : undefined}
      data-field={name}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) visit();
      }}
      className={cx('min-w-0', className)}
    >
      {label !== undefined && (
        <div className={cx(!hideLabel && 'mb-1 flex items-center justify-between gap-2')}>
          {isGroup ? (
            <span id={`${id}-label`} className={labelClass}>
              {text}
            </span>
          ) : (
            <label htmlFor={id} className={labelClass}>
              {text}
            </label>
          )}
          {aside}
        </div>
      )}
      {children(
        {
          id,
          'aria-invalid': isInvalid || undefined,
          'aria-describedby': described || undefined,
        },
        told,
      )}
      <ToldList told={told} id={`${id}-told`} />
      {help && (
        <p id={`${id}-help`} className="mt-1 text-muted text-xs">
          {help}
        </p>
      )}
    </div>
  );
}
