/** What came of files that were imported. */
import { CircleAlert, CircleCheck } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ApiError, type Problem } from '@/api/client';
import type { ImportedFile, ImportResult } from '@/api/queries/task-files';
import { Dialog } from '@/components/Dialog';
import { Problems } from '@/components/task/Problems';
import { href } from '@/lib/navigate';

/** How many tasks were made, and whether everything went well. */
export function tallyImport(files: readonly ImportedFile[]): { made: number; isClean: boolean } {
  const results = files.flatMap(({ results }) => results);
  return {
    made: results.filter(({ ok }) => ok).length,
    isClean:
      files.every(({ error, results }) => !error && results.length > 0) &&
      results.every(({ ok, warnings }) => ok && warnings.length === 0),
  };
}

export function ImportResults({ files, onClose }: { files: ImportedFile[] | null; onClose: () => void }) {
  const { t } = useTranslation();
  const { made } = tallyImport(files ?? []);
  return (
    <Dialog isOpen={files !== null} onClose={onClose} title={t('tasks.import.made', { count: made })}>
      <div className="space-y-5">
        {files?.map(({ name, results, error }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two files may have one name, and their order stays
          <section key={`${name}-${index}`}>
            <h3 className="mb-1.5 truncate font-medium font-mono text-muted text-xs">{name}</h3>
            {error && (
              <Line isGood={false}>
                <span className="text-bad">{error.message}</span>
                {error instanceof ApiError && (
                  <>
                    {error.hint && <p className="text-muted">{error.hint}</p>}
                    <Problems problems={untold({ detail: error.message, problems: error.problems })} />
                  </>
                )}
              </Line>
            )}
            {!error && results.length === 0 && <Line isGood={false}>{t('tasks.import.nothing')}</Line>}
            <ul className="space-y-2">
              {results.map((result) => (
                <li key={result.index}>
                  <Outcome result={result} onClose={onClose} />
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

/** Problems that the sentence above them does not tell already. */
function untold({ detail, problems = [] }: { detail: string; problems?: Problem[] }): Problem[] {
  return problems.filter(({ message }) => !detail.includes(message));
}

function Outcome({ result, onClose }: { result: ImportResult; onClose: () => void }) {
  const { t } = useTranslation();
  const name = result.task_name ?? t('tasks.import.document', { number: result.index + 1 });
  return (
    <Line isGood={result.ok}>
      {result.ok && result.id ? (
        <a href={href.task(result.id)} onClick={onClose} className="font-medium text-accent hover:underline">
          {name}
        </a>
      ) : (
        <span className="font-medium">{name}</span>
      )}
      {result.error && (
        <>
          <p className="text-bad">{result.error.detail}</p>
          {result.error.hint && <p className="text-muted">{result.error.hint}</p>}
          <Problems problems={untold(result.error)} />
        </>
      )}
      <Problems problems={result.warnings} />
    </Line>
  );
}

function Line({ isGood, children }: { isGood: boolean; children: React.ReactNode }) {
  const Icon = isGood ? CircleCheck : CircleAlert;
  return (
    <div className="flex gap-2">
      <Icon aria-hidden className={isGood ? 'mt-0.5 size-4 text-good' : 'mt-0.5 size-4 text-bad'} />
      <div className="min-w-0 flex-1">{children}</div>
    </div>
  );
}
