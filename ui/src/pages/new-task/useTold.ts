/** What is said of the document as it is now: by the check, by the last refusal, by its text. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { checkOf } from '@/api/queries/check';
import type { TextError } from '@/components/editor/text';
import type { Json } from '@/components/form/json';
import { dotted } from '@/components/form/paths';
import type { Told } from '@/components/form/problems';
import { marksIn } from '@/components/form/secrets';
import { useSettled } from '@/lib/debounce';
import type { Source } from './source';

/** How long typing pauses before the document is checked. */
const PAUSE = 350;

export function useTold(
  document: Json,
  source: Source,
  refused: readonly Told[],
  errors: readonly TextError[],
) {
  const { t } = useTranslation();
  const settled = useSettled(document, PAUSE);
  const check = useQuery(checkOf(settled));
  const isChecking = settled !== document || check.isFetching;
  const checked = check.isError ? undefined : check.data;
  // Most changes leave the marks as they are.
  const marks = source.mode === 'edit' ? '' : marksIn(document).map(dotted).join('\n');
  const told = useMemo((): Told[] => {
    const all: Told[] = errors.map(({ line, message }) => ({
      path: '',
      message: t('form.text.unreadable', { line, message }),
      severity: 'problem',
    }));
    // What was said of an older text says nothing of this one.
    if (all.length > 0) return all;
    const add = (more: readonly Told[]) => {
      for (const one of more) {
        if (!all.some(({ path, message }) => path === one.path && message === one.message)) all.push(one);
      }
    };
    for (const problem of checked?.problems ?? []) add([{ ...problem, severity: 'problem' }]);
    add(refused);
    // In another task the marks of secrets stand for nothing.
    for (const path of marks === '' ? [] : marks.split('\n')) {
      if (!all.some((one) => one.path === path))
        add([{ path, message: t('form.secret.gone'), severity: 'problem' }]);
    }
    for (const warning of checked?.warnings ?? []) add([{ ...warning, severity: 'warning' }]);
    return all;
  }, [checked, refused, errors, marks, t]);
  return { told, checked, isChecking, failure: check.isError ? check.error.message : undefined };
}
