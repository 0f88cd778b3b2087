/** Tasks that were completed lately: what they gained over the engine's defaults. */
import { useTranslation } from 'react-i18next';
import { Badge } from '@/components/Badge';
import type { Tone } from '@/components/Button';
import { Time } from '@/components/Time';
import { duration, gain } from '@/lib/format';
import { href } from '@/lib/navigate';

export interface ResultRow {
  id: number;
  task_name: string;
  base_runtime: string;
  total_experiments: number;
  successful_experiments: number;
  completed_at?: string | null;
  elapsed_time?: number | null;
  gain_over_defaults?: number | null;
  claim?: string | null;
  best_experiment_number?: number | null;
}

/** What may be said of a result, and how it looks. */
const CLAIMS: Record<string, Tone> = {
  gain: 'good',
  meets_slos: 'good',
  no_gain: 'neutral',
  only_defaults: 'neutral',
  no_baseline: 'neutral',
  nothing_feasible: 'warn',
  nothing_measured: 'bad',
};

export function ResultList({ rows }: { rows: readonly ResultRow[] }) {
  const { t } = useTranslation();
  return (
    <ul className="grid gap-px bg-line lg:grid-cols-2">
      {rows.map((row) => {
        const hasGain = row.gain_over_defaults !== null && row.gain_over_defaults !== undefined;
        return (
          <li
            key={row.id}
            className="flex min-w-0 items-center gap-3 bg-surface px-4 py-2 lg:last:odd:col-span-2"
          >
            <div className="min-w-0 flex-1">
              <a
                href={href.taskPart(row.id, 'results')}
                className="block truncate font-medium text-sm hover:text-accent hover:underline"
              >
                {row.task_name}
              </a>
              <p className="num truncate text-muted text-xs">
                {row.base_runtime} ·{' '}
                {t('dashboard.results.experiments', {
                  count: row.total_experiments,
                  ok: row.successful_experiments,
                })}{' '}
                · {duration(row.elapsed_time)} · <Time at={row.completed_at} />
              </p>
            </div>
            {hasGain && row.claim !== 'nothing_feasible' ? (
              <span
                className={
                  (row.gain_over_defaults ?? 0) > 0
                    ? 'num font-semibold text-base text-good'
                    : 'num font-semibold text-base text-muted'
                }
                title={t('dashboard.results.overDefaults')}
              >
                {gain(row.gain_over_defaults)}
              </span>
            ) : row.claim ? (
              <Badge tone={CLAIMS[row.claim] ?? 'neutral'}>
                {t(`dashboard.claim.${row.claim}`, { defaultValue: row.claim })}
              </Badge>
            ) : null}
          </li>
        );
      })}
    </ul>
  );
}
