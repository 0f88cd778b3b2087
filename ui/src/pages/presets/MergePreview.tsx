/** What several presets come to together, before a task is made of them. */
import { useQuery } from '@tanstack/react-query';
import { TriangleAlert } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/client';
import { MERGE_STRATEGIES, type MergeStrategy, type Preset } from '@/api/queries/presets';
import { mergedPresets } from '@/api/queries/runtimes';
import { buttonClass } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import type { Json } from '@/components/form/json';
import { writeValue } from '@/components/form/values';
import { Failed, SkeletonRows } from '@/components/States';
import { Segmented } from '@/components/Toggle';
import { number } from '@/lib/format';
import { href } from '@/lib/navigate';

export function MergePreview({
  presets,
  strategy,
  onStrategy,
  onClose,
  mayOperate,
}: {
  presets: readonly Preset[];
  /** Nothing where the preview is closed. */
  strategy: MergeStrategy | undefined;
  onStrategy: (strategy: MergeStrategy) => void;
  onClose: () => void;
  mayOperate: boolean;
}) {
  const { t } = useTranslation();
  const ids = presets.map(({ id }) => id);
  const how = strategy ?? 'union';
  const { data, error, isPending } = useQuery({
    ...mergedPresets(ids, how),
    enabled: strategy !== undefined,
  });
  const refusal = error instanceof ApiError ? error.problems.map(({ message, hint }) => [message, hint]) : [];
  return (
    <Dialog
      isOpen={strategy !== undefined}
      onClose={onClose}
      width="lg"
      title={t('presetsPage.merge.title', { count: presets.length })}
      description={presets.map(({ name }) => name).join(' → ')}
      footer={
        mayOperate &&
        data &&
        !error && (
          <a href={href.newTask({ presets: ids.join(','), merge: how })} className={buttonClass('primary')}>
            {t('presetsPage.useInTask')}
          </a>
        )
      }
    >
      <Segmented
        label={t('presetsPage.merge.strategy')}
        value={how}
        onChange={onStrategy}
        options={MERGE_STRATEGIES.map((value) => ({ value, label: t(`presetsPage.merge.${value}`) }))}
      />
      <p className="mt-2 mb-3 text-muted text-xs">{t(`presetsPage.merge.text.${how}`)}</p>
      {error ? (
        refusal.length > 0 ? (
          <Notice lines={refusal.map((parts) => parts.filter(Boolean).join(': '))} title={error.message} />
        ) : (
          <Failed error={error} />
        )
      ) : isPending || !data ? (
        <SkeletonRows rows={5} className="px-0" />
      ) : (
        <>
          {data.conflicts && data.conflicts.length > 0 && (
            <Notice
              title={t('presetsPage.merge.conflicts', { count: data.conflicts.length })}
              lines={data.conflicts.map(
                ({ parameter, message, overridden_by, previous_values, new_values }) =>
                  message
                    ? `${parameter}: ${message}`
                    : t('presetsPage.merge.overridden', {
                        parameter,
                        by: overridden_by,
                        before: listed(previous_values),
                        after: listed(new_values),
                      }),
              )}
            />
          )}
          <MergedTable parameters={data.parameters as Record<string, Json[]>} />
        </>
      )}
    </Dialog>
  );
}

function listed(values: readonly unknown[] | null | undefined): string {
  return (values ?? []).map((value) => writeValue(value as Json)).join(', ');
}

function Notice({ title, lines }: { title: string; lines: readonly string[] }) {
  return (
    <div role="status" className="mb-3 rounded-lg bg-warn-soft px-3 py-2 text-warn text-xs">
      <p className="flex items-center gap-1.5 font-medium">
        <TriangleAlert aria-hidden className="size-3.5 shrink-0" />
        {title}
      </p>
      <ul className="mt-1 list-disc space-y-0.5 pl-5">
        {lines.map((line) => (
          <li key={line} className="break-words">
            {line}
          </li>
        ))}
      </ul>
    </div>
  );
}

function MergedTable({ parameters }: { parameters: Record<string, Json[]> }) {
  const { t } = useTranslation();
  const rows = Object.entries(parameters);
  const combinations = rows.reduce((product, [, values]) => product * values.length, rows.length > 0 ? 1 : 0);
  return (
    <div className="relative overflow-x-auto rounded-lg border border-line">
      <table className="w-full text-xs">
        <caption className="num border-line border-b bg-sunken px-3 py-1.5 text-left text-muted">
          {t('presetsPage.parameters', { count: rows.length })} ·{' '}
          {t('presetsPage.combinations', { count: combinations, text: number(combinations, 15) })}
        </caption>
        <thead className="text-left text-muted">
          <tr>
            <th scope="col" className="px-3 py-1.5 font-medium">
              {t('presetsPage.parameter')}
            </th>
            <th scope="col" className="px-3 py-1.5 font-medium">
              {t('presetsPage.values')}
            </th>
          </tr>
        </thead>
        <tbody className="font-mono">
          {rows.map(([name, values]) => (
            <tr key={name} className="border-line/60 border-t">
              <th scope="row" className="px-3 py-1 text-left font-normal">
                {name}
              </th>
              <td className={values.length > 1 ? 'break-all px-3 py-1 text-accent' : 'break-all px-3 py-1'}>
                {listed(values)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
