/** Fields to type in, alone and with their label, help and problem. */
import { Search, X } from 'lucide-react';
import { type ComponentProps, type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';

/** How fields look. */
export const INPUT =
  'w-full rounded-lg border border-line bg-surface px-3 text-sm text-fg shadow-card placeholder:text-faint disabled:opacity-60 aria-invalid:border-bad';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input {...rest} className={cx(INPUT, 'h-8', className)} />;
}

export function Textarea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea {...rest} className={cx(INPUT, 'min-h-16 py-1.5', className)} />;
}

export interface FieldProps {
  label: ReactNode;
  help?: ReactNode;
  /** What is wrong with it. */
  error?: string | undefined;
  isRequired?: boolean;
  className?: string;
  /** Gets what ties the field to its label, help and problem. */
  children: (tie: {
    id: string;
    'aria-invalid': boolean | undefined;
    'aria-describedby': string | undefined;
  }) => ReactNode;
}

export function Field({ label, help, error, isRequired = false, className, children }: FieldProps) {
  const id = useId();
  const described = [help && `${id}-help`, error && `${id}-error`].filter(Boolean).join(' ');
  return (
    <div className={cx('min-w-0', className)}>
      <label htmlFor={id} className="mb-1 block font-medium text-fg text-sm">
        {label}
        {isRequired && (
          <span aria-hidden className="text-bad">
            {' '}
            *
          </span>
        )}
      </label>
      {children({ id, 'aria-invalid': error ? true : undefined, 'aria-describedby': described || undefined })}
      {error && (
        <p id={`${id}-error`} className="mt-1 text-bad text-xs">
          {error}
        </p>
      )}
      {help && (
        <p id={`${id}-help`} className="mt-1 text-muted text-xs">
          {help}
        </p>
      )}
    </div>
  );
}

/** How long typing pauses before a search is asked. */
const PAUSE = 250;

/** A search that is asked when typing pauses. */
export function SearchInput({
  value,
  onChange,
  label,
  className,
}: {
  value: string;
  onChange: (value: string) => void;
  label: string;
  className?: string;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setTyped(value);
    }
  }, [value]);
  useEffect(() => {
    if (typed === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = typed;
      onChange(typed);
    }, PAUSE);
    return () => clearTimeout(timer);
  }, [typed, onChange]);
  return (
    <div className={cx('relative', className)}>
      <Search aria-hidden className="pointer-events-none absolute top-2 left-2.5 size-4 text-faint" />
      <input
        type="search"
        data-search
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        className={cx(INPUT, 'h-8 pr-8 pl-8 [&::-webkit-search-cancel-button]:hidden')}
      />
      {typed !== '' && (
        <button
          type="button"
          aria-label={t('action.clearSearch')}
          onClick={() => setTyped('')}
          className="absolute top-1.5 right-1.5 rounded p-0.5 text-faint hover:text-fg"
        >
          <X aria-hidden className="size-4" />
        </button>
      )}
    </div>
  );
}
