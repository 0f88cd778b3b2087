/** The document as text, in step with the form. */
import { useQuery } from '@tanstack/react-query';
import { lazy, type Ref, Suspense, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { taskSchema } from '@/api/queries/check';
import type { CodeEditorHandle, Mark } from '@/components/editor/CodeEditor';
import type { Schema } from '@/components/editor/schema';
import { placeIn, type TextError, type TextFormat } from '@/components/editor/text';
import { resolve } from '@/components/form/paths';
import { useAllTold } from '@/components/form/problems';
import { useDocument } from '@/components/form/store';
import { Skeleton } from '@/components/States';
import { useKnownParameters } from './sections/Parameters';

const CodeEditor = lazy(() => import('@/components/editor/CodeEditor'));

export function TextTab({
  text,
  format,
  errors,
  onChange,
  editor,
}: {
  text: string;
  format: TextFormat;
  errors: readonly TextError[];
  onChange: (text: string) => void;
  editor: Ref<CodeEditorHandle>;
}) {
  const { t } = useTranslation();
  const document = useDocument();
  const { data: schema } = useQuery(taskSchema);
  const { infos } = useKnownParameters();
  const all = useAllTold();
  const parameters = useMemo(
    () =>
      infos.map(({ name, help, default: usual }) => ({
        text: name,
        detail: usual ? `${help}\n${t('form.parameter.default', { value: usual })}` : help,
      })),
    [infos, t],
  );
  const marks = useMemo((): Mark[] => {
    if (errors.length > 0)
      return errors.map(({ from, to, message }) => ({ from, to, message, severity: 'error' }));
    return all.map(({ path, message, hint, severity }) => ({
      ...(placeIn(text, resolve(document, path)) ?? { from: 0, to: 0 }),
      severity: severity === 'problem' ? 'error' : 'warning',
      message: hint ? `${message}\n${hint}` : message,
    }));
  }, [errors, all, text, document]);
  return (
    <div className="min-w-0">
      <div className="card overflow-hidden">
        <Suspense fallback={<Skeleton className="m-4 h-96" />}>
          <CodeEditor
            ref={editor}
            text={text}
            format={format}
            label={t(`form.text.${format}`)}
            marks={marks}
            schema={schema as Schema | undefined}
            parameters={parameters}
            onChange={onChange}
            className="h-[max(24rem,calc(100dvh-12.25rem))]"
          />
        </Suspense>
      </div>
      <p role="status" className="mt-2 text-muted text-xs">
        {errors[0] ? (
          <span className="text-bad">
            {t('form.text.error', {
              line: errors[0].line,
              column: errors[0].column,
              message: errors[0].message,
            })}
          </span>
        ) : (
          t(format === 'yaml' ? 'form.text.comments' : 'form.text.keys')
        )}
      </p>
    </div>
  );
}
