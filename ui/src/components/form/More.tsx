/** Fields that most people leave as they are, below a heading that opens them. */
import { ChevronRight } from 'lucide-react';
import { type ReactNode, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import { isObject, type Path } from './json';
import { dotted, isWithin } from './paths';
import { useAllTold } from './problems';
import { useAt } from './store';

export function More({
  title,
  about,
  part,
  fields,
  children,
}: {
  title: string;
  /** What is so while nobody says otherwise. */
  about: string;
  /** The part of the document that the fields are of, and their keys there with their names. */
  part: Path;
  fields: Readonly<Record<string, string>>;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const id = useId();
  const value = useAt(part);
  const told = useAllTold();
  const [choice, setChoice] = useState<boolean>();
  const set = Object.keys(fields).filter((key) => isObject(value) && value[key] != null);
  const isWrong = told.some(
    ({ path, severity }) =>
      severity === 'problem' && Object.keys(fields).some((key) => isWithin(path, dotted([...part, key]))),
  );
  // What was open because something is set stays so when that is emptied.
  const wasOpen = useRef(false);
  if (set.length > 0 || isWrong) wasOpen.current = true;
  const isOpen = isWrong || (choice ?? wasOpen.current);
  return (
    <section aria-labelledby={`${id}-title`} className="min-w-0 rounded-lg border border-line">
      <h3>
        <button
          type="button"
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          onClick={() => setChoice(!isOpen)}
          className={cx(
            'flex w-full items-baseline gap-2 rounded-lg px-3 py-2 text-left hover:bg-sunken/70',
            isOpen && 'rounded-b-none',
          )}
        >
          <ChevronRight
            aria-hidden
            className={cx(
              'size-3.5 shrink-0 self-center text-muted transition-transform',
              isOpen && 'rotate-90',
            )}
          />
          <span id={`${id}-title`} className="shrink-0 font-medium text-sm">
            {title}
          </span>
          <span className="min-w-0 truncate text-muted text-xs">
            {set.length === 0
              ? about
              : t('form.more.set', { names: set.map((key) => fields[key]).join(', ') })}
          </span>
        </button>
      </h3>
      {isOpen && (
        <div id={id} className="grid gap-5 border-line border-t p-3">
          {children}
        </div>
      )}
    </section>
  );
}
