/** What came of something for each of many containers. */
import { CircleCheck, CircleX, TriangleAlert } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { BulkResult } from '@/api/queries/containers';

export function BulkResults({
  results,
  names,
}: {
  results: readonly BulkResult[];
  names: Map<string, string>;
}) {
  const { t } = useTranslation();
  return (
    <ul className="divide-y divide-line">
      {results.map(({ id, ok, warning, error }) => {
        const Icon = !ok ? CircleX : warning ? TriangleAlert : CircleCheck;
        return (
          <li key={id} className="flex gap-3 py-2">
            <Icon
              aria-label={ok ? t('state.done') : t('containers.notDone')}
              className={`mt-0.5 size-4 shrink-0 ${!ok ? 'text-bad' : warning ? 'text-warn' : 'text-good'}`}
            />
            <div className="min-w-0">
              <div className="truncate font-medium">{names.get(id) ?? id}</div>
              {error && <p className="break-words text-bad text-xs">{error.detail}</p>}
              {error?.hint && <p className="break-words text-muted text-xs">{error.hint}</p>}
              {warning && <p className="break-words text-warn text-xs">{warning}</p>}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
