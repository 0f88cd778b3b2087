/** A run that goes on: how much of it is done, when it may end, and the best so far. */
import { Hourglass, Trophy } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ProgressBar } from '@/components/Progress';
import { duration, number } from '@/lib/format';
import { href } from '@/lib/navigate';
import { Gain } from './Gain';

export interface LiveProgressCardProps {
  taskId: number;
  done: number;
  planned: number;
  /** Repetitions of the best and the defaults: done, and planned at most. */
  again?: { done: number; planned: number } | undefined;
  /** Seconds to the end by a rough guess. */
  eta: number | null | undefined;
  elapsed: ReactNode;
  waitingFor: string | null | undefined;
  isEnding: boolean;
  best:
    | {
        number: number;
        value: string;
        gain: number | null | undefined;
        claim: string | undefined;
        feasibility?: ReactNode;
      }
    | undefined;
  /** Blocks of the experiments. */
  blocks?: ReactNode;
  /** Experiments that are under way. */
  children?: ReactNode;
}

export function LiveProgressCard(props: LiveProgressCardProps) {
  const { taskId, done, planned, again, eta, elapsed, waitingFor, isEnding, best, blocks, children } = props;
  const { t } = useTranslation();
  return (
    <section aria-label={t('tasks.live.label')} className="card min-w-0 border-info/40">
      <div className="p-4">
        <div className="num mb-1.5 flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
          <h2 className="flex items-baseline gap-2 font-semibold">
            <span aria-hidden className="size-2 animate-pulse self-center rounded-full bg-info" />
            {t('tasks.live.done', { done: number(done, 9), planned: number(planned, 9) })}
          </h2>
          <p className="text-muted text-xs">
            {elapsed}
            {isEnding ? (
              <span className="text-warn"> · {t('tasks.control.cancelling')}</span>
            ) : (
              typeof eta === 'number' && (
                <> · {t('tasks.live.eta', { time: duration(Math.max(1, Math.round(eta))) })}</>
              )
            )}
          </p>
        </div>
        <ProgressBar
          value={planned > 0 ? (done / planned) * 100 : 0}
          label={t('tasks.live.progress')}
          tone="bg-info"
        />
        {again && again.planned > 0 && done >= planned && (
          <p className="num mt-2 text-muted text-xs">
            {t('tasks.live.again', { done: number(again.done, 9), planned: number(again.planned, 9) })}
          </p>
        )}
        {blocks && <div className="mt-3">{blocks}</div>}
        {waitingFor && (
          <p className="mt-3 flex items-start gap-1.5 text-sm text-warn">
            <Hourglass aria-hidden className="mt-0.5 size-4 shrink-0" />
            <span className="first-letter:uppercase">{waitingFor}</span>
          </p>
        )}
      </div>
      {children && <div className="divide-y divide-line border-line border-t">{children}</div>}
      {best && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-t px-4 py-2.5 text-sm">
          <Trophy aria-hidden className="size-4 text-good" />
          <span className="text-muted">{t('tasks.live.best')}</span>
          <a href={href.experiment(taskId, best.number)} className="font-medium text-accent hover:underline">
            {t('tasks.blocks.one', { number: best.number })}
          </a>
          <span className="num font-semibold">{best.value}</span>
          <Gain gain={best.gain} claim={best.claim} />
          {best.feasibility}
        </div>
      )}
    </section>
  );
}
