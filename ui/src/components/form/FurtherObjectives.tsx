/** Objectives beside the first: for them good compromises are looked for as well. */
import { useTranslation } from 'react-i18next';
import { cx } from '@/lib/cx';
import { FormField } from './FormField';
import type { Json, Path } from './json';
import { useFieldTexts } from './labels';
import { useAt, useDocumentStore } from './store';

export function FurtherObjectives({
  path,
  objectives,
  first,
}: {
  path: Path;
  objectives: readonly string[];
  /** The objective itself, which is none of them. */
  first: string;
}) {
  const { t } = useTranslation();
  const texts = useFieldTexts('pareto');
  const store = useDocumentStore();
  const value = useAt(path);
  const chosen: Json[] = Array.isArray(value) ? value : typeof value === 'string' ? [value] : [];
  const set = (next: Json[]) => store.setOrRemove(path, next.length === 0 ? undefined : next);
  // What is chosen stays to be seen, also where it is the first objective by now.
  const offered = objectives.filter((each) => each !== first || chosen.includes(each));
  return (
    <FormField path={path} isGroup label={texts.label} help={texts.help}>
      {() => (
        <div className="flex flex-wrap gap-1.5">
          {offered.map((each) => {
            const isChosen = chosen.includes(each);
            return (
              <button
                key={each}
                type="button"
                aria-pressed={isChosen}
                onClick={() => set(isChosen ? chosen.filter((other) => other !== each) : [...chosen, each])}
                className={cx(
                  'rounded-lg border px-2.5 py-1.5 text-sm',
                  isChosen
                    ? 'border-accent bg-accent-soft text-accent'
                    : 'border-line bg-surface hover:bg-sunken',
                )}
              >
                {t(`objectives.${each}`)}
              </button>
            );
          })}
        </div>
      )}
    </FormField>
  );
}
