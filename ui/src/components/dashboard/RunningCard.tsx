/** A task that runs: how far it is, what its experiments do now, and the best so far. */
import { Hourglass, Trophy } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ProgressBar } from '@/components/Progress';
import { duration, gain, number } from '@/lib/format';
import { href } from '@/lib/navigate';

export interface RunningCardProps {
  id: number;
  name: string;
  runtime: string;
  isEnding: boolean;
  done: number;
  planned: number | null | undefined;
  eta: number | null | undefined;
  waitingFor: string | null | undefined;
  /** The best value so far, with its unit. */
  best: string | undefined;
  bestNumber: number | null | undefined;
  gainOverDefaults: number | null | undefined;
  actions: ReactNode;
  /** Experiments that are under way. */
  children: ReactNode;
}

export function RunningCard(props: RunningCardProps) {
  const { id, name, runtime, isEnding, done, planned, eta, waitingFor, actions, children } = props;
  const { t } = useTranslation();
  const share = planned ? (done / planned) * 100 : 0;
  return (
    <article aria-label={name} className="card min-w-0 p-4">
      <header className="flex items-start justify-between gap-2">
        <h3 className="flex min-w-0 items-center gap-2 font-semibold leading-6">
          <span aria-hidden className="size-2 shrink-0 animate-pulse rounded-full bg-info" />
          <a href={href.task(id)} className="truncate hover:text-accent hover:underline">
            {name}
          </a>
        </h3>
        <div className="-my-1 -mr-1.5 shrink-0">{actions}</div>
      </header>
      <p className="num mt-1 flex flex-wrap justify-between gap-x-2 text-muted text-xs">
        <span>
          {runtime} ·{' '}
          {planned
            ? t('dashboard.doneOf', { done: number(done, 9), planned: number(planned, 9) })
            : t('dashboard.done', { count: done })}
        </span>
        {isEnding ? (
          <span className="text-warn">{t('dashboard.ending')}</span>
        ) : (
          eta !== null && eta !== undefined && <span>{t('dashboard.eta', { time: roughly(eta) })}</span>
        )}
      </p>
      <ProgressBar value={share} label={t('dashboard.progress', { name })} className="mt-1.5" />
      <div className="mt-3 space-y-3">
        {waitingFor && (
          <p className="flex items-start gap-1.5 text-warn text-xs">
            <Hourglass aria-hidden className="mt-0.5 size-3.5 shrink-0" />
            {waitingFor}
          </p>
        )}
        {children}
      </div>
      <Best {...props} />
    </article>
  );
}

/** As exact as a guess can be. */
export function roughly(seconds: number): string {
  const step = seconds > 7200 ? 600 : seconds > 300 ? 60 : seconds > 60 ? 10 : 1;
  return duration(Math.max(1, Math.round(seconds / step) * step));
}

function Best({ id, best, bestNumber, gainOverDefaults }: RunningCardProps) {
  const { t } = useTranslation();
  if (!best) return null;
  return (
    <p className="num mt-3 flex items-center gap-x-2 whitespace-nowrap border-line border-t pt-2.5 text-xs">
      <Trophy aria-hidden className="size-3.5 shrink-0 text-good" />
      <span className="text-muted">{t('dashboard.bestSoFar')}</span>
      <span className="font-semibold">{best}</span>
      {gainOverDefaults !== null && gainOverDefaults !== undefined && (
        <span
          className={
            gainOverDefaults > 0 ? 'min-w-0 truncate font-medium text-good' : 'min-w-0 truncate text-muted'
          }
        >
          {t('dashboard.overDefaults', { gain: gain(gainOverDefaults) })}
        </span>
      )}
      {bestNumber && (
        <a
          href={href.experiment(id, bestNumber)}
          aria-label={t('dashboard.experiment', { number: bestNumber })}
          className="ml-auto text-muted hover:text-accent hover:underline"
        >
          #{bestNumber}
        </a>
      )}
    </p>
  );
}
