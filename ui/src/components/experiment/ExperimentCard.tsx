/** An experiment in a list on a phone. */
import type { ReactNode } from 'react';
import type { Experiment } from '@/api/queries/experiments';
import type { Column } from './columns';

/** What stands in the first line, and what below without its name. */
const FIRST = new Set(['number', 'status', 'task']);
const WHOLE = new Set(['parameters', 'reason']);

export function ExperimentCard({
  experiment,
  columns,
  selection,
}: {
  experiment: Experiment;
  columns: readonly Column[];
  selection: ReactNode;
}) {
  const rest = columns.filter(({ key }) => !FIRST.has(key) && !WHOLE.has(key));
  return (
    <div className="space-y-2 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        {selection}
        {columns
          .filter(({ key }) => FIRST.has(key))
          .map(({ key, cell }) => (
            <div key={key} className="min-w-0">
              {cell(experiment)}
            </div>
          ))}
      </div>
      {columns
        .filter(({ key }) => WHOLE.has(key))
        .map(({ key, cell }) => (
          <div key={key} className={key === 'reason' ? 'text-muted text-xs' : undefined}>
            {cell(experiment)}
          </div>
        ))}
      <dl className="grid grid-cols-2 gap-x-4 gap-y-1 text-xs">
        {rest.map(({ key, header, cell }) => (
          <div key={key} className="flex min-w-0 items-baseline justify-between gap-2">
            <dt className="truncate text-muted">{header}</dt>
            <dd className="text-right whitespace-nowrap">{cell(experiment)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
