/** The sections of the form: which one is in view, which have problems, and a way to each. */
import { memo, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { SECTION_NAMES, type SectionName, useSectionCounts } from '@/components/form/Section';
import { cx } from '@/lib/cx';

function useVisibleSection(): SectionName {
  const [visible, setVisible] = useState<SectionName>('basic');
  useEffect(() => {
    const found = () => {
      const names = SECTION_NAMES.filter((name) => {
        const box = document.getElementById(`section-${name}`)?.getBoundingClientRect();
        return box !== undefined && box.top < window.innerHeight * 0.35;
      });
      const isAtEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 4;
      setVisible((isAtEnd && window.scrollY > 0 ? SECTION_NAMES.at(-1) : names.at(-1)) ?? 'basic');
    };
    found();
    window.addEventListener('scroll', found, { passive: true });
    return () => window.removeEventListener('scroll', found);
  }, []);
  return visible;
}

export function goToSection(name: SectionName): void {
  document.getElementById(`section-${name}`)?.scrollIntoView({ block: 'start', behavior: 'smooth' });
  document.getElementById(`section-${name}-title`)?.focus({ preventScroll: true });
}

function Entry({ name, isVisible }: { name: SectionName; isVisible: boolean }) {
  const { t } = useTranslation();
  const { problems, warnings } = useSectionCounts(name);
  return (
    <li className="shrink-0">
      <button
        type="button"
        aria-current={isVisible ? 'true' : undefined}
        onClick={() => goToSection(name)}
        className={cx(
          'flex w-full items-center justify-between gap-2 rounded-lg px-2.5 py-1.5 text-left text-sm whitespace-nowrap',
          isVisible ? 'bg-accent-soft font-medium text-accent' : 'text-muted hover:bg-sunken hover:text-fg',
        )}
      >
        {t(`form.nav.${name}`)}
        {problems + warnings > 0 && (
          <span
            className={cx(
              'num rounded-full px-1.5 text-2xs',
              problems > 0 ? 'bg-bad-soft text-bad' : 'bg-warn-soft text-warn',
            )}
          >
            {problems > 0 ? problems : warnings}
            <span className="sr-only">
              {' '}
              {problems > 0
                ? t('form.panel.problems', { count: problems })
                : t('form.panel.warnings', { count: warnings })}
            </span>
          </span>
        )}
      </button>
    </li>
  );
}

export const SectionNav = memo(function SectionNav() {
  const { t } = useTranslation();
  const visible = useVisibleSection();
  const nav = useRef<HTMLElement>(null);
  // Where the sections stand side by side, the one in view is kept in view.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another section in view is the cause
  useEffect(() => {
    const own = nav.current;
    const current = own?.querySelector<HTMLElement>('[aria-current]');
    if (!own || !current || own.scrollWidth <= own.clientWidth) return;
    const left = current.offsetLeft - (own.clientWidth - current.clientWidth) / 2;
    own.scrollTo({ left, behavior: 'smooth' });
  }, [visible]);
  return (
    <nav
      ref={nav}
      aria-label={t('form.sections')}
      className="sticky top-12 z-20 -mx-4 min-w-0 overflow-x-auto border-line border-b bg-bg/95 px-4 py-1.5 backdrop-blur sm:-mx-6 sm:px-6 lg:static lg:mx-0 lg:border-0 lg:bg-transparent lg:p-0 xl:sticky xl:top-4 xl:self-start"
    >
      <ul className="flex gap-0.5 xl:flex-col">
        {SECTION_NAMES.map((name) => (
          <Entry key={name} name={name} isVisible={name === visible} />
        ))}
      </ul>
    </nav>
  );
});
