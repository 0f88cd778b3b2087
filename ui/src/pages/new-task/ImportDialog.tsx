/** Several task documents in one file: made into tasks at once, or one of them taken into the form. */
import { CircleAlert, CircleCheck } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/api/client';
import { useImportDocuments } from '@/api/queries/check';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { asTyped } from '@/components/form/inputs';
import { at, type Json } from '@/components/form/json';
import { href } from '@/lib/navigate';
import { notifyFailure } from '@/lib/notify';

export function ImportDialog({
  documents,
  onClose,
  onPick,
}: {
  documents: readonly Json[] | undefined;
  onClose: () => void;
  onPick: (document: Json) => void;
}) {
  const { t } = useTranslation();
  const importing = useImportDocuments();
  const [results, setResults] = useState<Schemas['ImportResult'][]>();
  const close = () => {
    setResults(undefined);
    onClose();
  };
  const all = documents ?? [];
  const importAll = async () => {
    try {
      setResults((await importing.mutateAsync([...all])).results);
    } catch (error) {
      notifyFailure(t('form.import.failed'), error);
    }
  };
  return (
    <Dialog
      isOpen={documents !== undefined}
      onClose={close}
      title={t('form.import.several', { count: all.length })}
      description={t('form.import.severalAbout')}
      footer={
        <>
          <Button onClick={close}>{t(results ? 'action.close' : 'action.cancel')}</Button>
          {!results && (
            <Button kind="primary" isPending={importing.isPending} onClick={() => void importAll()}>
              {t('form.import.all', { count: all.length })}
            </Button>
          )}
        </>
      }
    >
      <ul className="divide-y divide-line rounded-lg border border-line">
        {all.map((document, index) => {
          const name =
            asTyped(at(document, ['task_name'])) || t('form.import.unnamed', { number: index + 1 });
          const result = results?.find((result) => result.index === index);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: documents of a file have their order
            <li key={index} className="flex items-start justify-between gap-3 px-3 py-2">
              <span className="min-w-0">
                <span className="block truncate font-medium">{name}</span>
                {result?.error && (
                  <span className="block break-words text-bad text-xs">{result.error.detail}</span>
                )}
              </span>
              {result ? (
                result.ok && result.id != null ? (
                  <a href={href.task(result.id)} className="inline-flex items-center gap-1 text-good text-sm">
                    <CircleCheck aria-hidden className="size-4" />
                    {t('form.import.show')}
                  </a>
                ) : (
                  <CircleAlert aria-label={t('form.import.refused')} className="size-4 shrink-0 text-bad" />
                )
              ) : (
                <Button
                  size="sm"
                  onClick={() => {
                    onPick(document);
                    close();
                  }}
                >
                  {t('form.import.pick')}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}
