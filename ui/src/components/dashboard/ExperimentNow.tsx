/** An experiment that is under way: its phase, how far its benchmark is, and what it measures now. */
import { Hourglass } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { ProgressBar } from '@/components/Progress';
import { useNow } from '@/components/Time';
import { duration, number } from '@/lib/format';
import { href } from '@/lib/navigate';
import { withUnit } from '@/lib/units';
import { isByClock } from './byClock';
import { FailuresByClass, ttftSpread } from './LiveLoad';
import { Sparkline } from './Sparkline';

export interface Benchmark {
  level?: number | undefined;
  levels?: number | undefined;
  label?: string | undefined;
  completed?: number | undefined;
  failed?: number | undefined;
  planned?: number | undefined;
  in_flight?: number | undefined;
  errors?: Record<string, number> | undefined;
  ttft_p50?: number | null | undefined;
  ttft_p99?: number | null | undefined;
  ttft?: number | null | undefined;
  tpot?: number | null | undefined;
  output_throughput?: number | null | undefined;
}

export interface ExperimentNowProps {
  task: number;
  number: number;
  /** `starting`, `deploying`, `warming up`, `benchmarking`; nothing where it is not known. */
  phase: string | undefined;
  since: string | null | undefined;
  waitingFor: string | null | undefined;
  benchmark: Benchmark | undefined;
  /** What it said before. */
  track: { ttft: readonly number[]; tpot: readonly number[]; throughput: readonly number[] };
}

/** What is being done: events say it with an underscore, and newer than what was asked. */
export function phaseWord(told: { status?: string } | undefined, phase: string): string {
  return (told?.status ?? phase).replaceAll('_', ' ');
}

export function ExperimentNow(props: ExperimentNowProps) {
  const { task, number: which, phase, since, waitingFor, benchmark, track } = props;
  const { t } = useTranslation();
  const now = useNow();
  const seconds = since ? Math.max(0, Math.round((now - new Date(since).getTime()) / 1000)) : undefined;
  return (
    <div className="min-w-0">
      <div className="flex flex-wrap items-baseline gap-x-2 text-xs">
        <a href={href.experiment(task, which)} className="font-medium hover:text-accent hover:underline">
          {t('dashboard.experiment', { number: which })}
        </a>
        {phase && <span className="text-info">{t(`status.${phase}`, { defaultValue: phase })}</span>}
        {seconds !== undefined && <span className="num text-muted">{duration(seconds)}</span>}
        {benchmark?.label && <span className="min-w-0 truncate text-muted">{benchmark.label}</span>}
      </div>
      {waitingFor && (
        <p className="mt-1 flex items-start gap-1.5 text-warn text-xs">
          <Hourglass aria-hidden className="mt-0.5 size-3.5 shrink-0" />
          {waitingFor}
        </p>
      )}
      {benchmark && benchmark.planned !== undefined && <Levels benchmark={benchmark} />}
      {benchmark && (
        <dl className="mt-2.5 grid grid-cols-3 gap-3">
          <Rate
            name={t('dashboard.ttft')}
            value={withUnit('seconds', benchmark.ttft)}
            values={track.ttft}
            hint={ttftSpread(t, benchmark)}
          />
          <Rate name={t('dashboard.tpot')} value={withUnit('seconds', benchmark.tpot)} values={track.tpot} />
          <Rate
            name={t('dashboard.throughput')}
            value={withUnit('tokens_per_second', benchmark.output_throughput)}
            values={track.throughput}
          />
        </dl>
      )}
      <FailuresByClass errors={benchmark?.errors} className="mt-2" />
    </div>
  );
}

/** One bar for each level of load; the one that runs is filled as far as it is. */
function Levels({
  benchmark: { level = 0, levels = 1, label, completed = 0, failed = 0, planned = 0, in_flight: inFlight },
}: {
  benchmark: Benchmark;
}) {
  const { t } = useTranslation();
  const share = planned > 0 ? ((completed + failed) / planned) * 100 : 0;
  const isTimed = isByClock(label);
  const here = isTimed ? undefined : share;
  return (
    <div className="mt-2">
      <div className="flex gap-1">
        {Array.from({ length: Math.max(1, levels) }, (_, index) => (
          <ProgressBar
            // biome-ignore lint/suspicious/noArrayIndexKey: a level is its place
            key={index}
            value={index < level ? 100 : index > level ? 0 : here}
            label={t('dashboard.level', { level: index + 1, levels })}
            tone={index < level ? 'bg-info/60' : 'bg-info'}
            className="h-1"
          />
        ))}
      </div>
      <p className="num mt-1 flex flex-wrap justify-between gap-x-3 text-muted text-xs">
        <span>{t('dashboard.level', { level: Math.min(level + 1, levels), levels })}</span>
        <span>
          {isTimed
            ? t('dashboard.requestsSoFar', { count: completed })
            : t('dashboard.requests', { done: number(completed, 9), planned: number(planned, 9) })}
          {failed > 0 && (
            <span className="text-bad"> · {t('dashboard.requestsFailed', { count: failed })}</span>
          )}
          {inFlight !== undefined && ` · ${t('dashboard.inFlight', { count: inFlight })}`}
        </span>
      </p>
    </div>
  );
}

function Rate({
  name,
  value,
  values,
  hint,
}: {
  name: string;
  value: string;
  values: readonly number[];
  hint?: string | undefined;
}) {
  const { t } = useTranslation();
  return (
    <div className="min-w-0">
      <dt className="truncate text-muted text-xs">{name}</dt>
      <dd>
        <span className="num block truncate font-semibold text-sm">{value}</span>
        {hint && <span className="num block text-muted text-xs">{hint}</span>}
        <Sparkline values={values} label={t('dashboard.trend', { name })} className="mt-1 h-6 w-full" />
      </dd>
    </div>
  );
}
