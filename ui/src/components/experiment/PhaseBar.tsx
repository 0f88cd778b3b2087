/** Where an experiment's time went: waiting, starting its engine, measuring. */
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { Time, useNow } from '@/components/Time';
import { cx } from '@/lib/cx';
import { duration, percent } from '@/lib/format';

export interface Phase {
  key: 'waiting' | 'starting' | 'benchmark';
  seconds: number;
}

/** The phases that are known; the last one of what still runs lasts until now. */
export function phasesOf(
  experiment: Pick<Experiment, 'created_at' | 'started_at' | 'completed_at' | 'ready_after'>,
  now: number,
): Phase[] {
  const at = (text: string | null | undefined) => (text ? new Date(text).getTime() / 1000 : null);
  const [created, started] = [at(experiment.created_at), at(experiment.started_at)];
  const end = at(experiment.completed_at) ?? now / 1000;
  if (created === null) return [];
  const phases: Phase[] = [{ key: 'waiting', seconds: Math.max(0, (started ?? end) - created) }];
  if (started !== null) {
    const ready = experiment.ready_after ?? null;
    const starting = ready === null ? end - started : Math.min(ready, end - started);
    phases.push({ key: 'starting', seconds: Math.max(0, starting) });
    if (ready !== null) phases.push({ key: 'benchmark', seconds: Math.max(0, end - started - ready) });
  }
  return phases.filter((phase) => phase.seconds > 0.0005);
}

const TONES: Record<Phase['key'], string> = {
  waiting: 'bg-line-strong/50',
  starting: 'bg-warn/70',
  benchmark: 'bg-accent',
};

export function PhaseBar({ experiment }: { experiment: Experiment }) {
  const { t } = useTranslation();
  const now = useNow();
  const phases = phasesOf(experiment, now);
  const total = phases.reduce((sum, phase) => sum + phase.seconds, 0);
  return (
    <div>
      <div aria-hidden className="flex h-3 gap-px overflow-hidden rounded-full bg-line">
        {phases.map(({ key, seconds }) => (
          <div
            key={key}
            className={cx('h-full min-w-1', TONES[key])}
            style={{ width: `${total > 0 ? (seconds / total) * 100 : 0}%` }}
          />
        ))}
      </div>
      <dl className="mt-3 space-y-1 text-xs">
        {phases.map(({ key, seconds }) => (
          <div key={key} className="flex items-center gap-2">
            <dt className="flex items-center gap-2">
              <span aria-hidden className={cx('size-2 rounded-full', TONES[key])} />
              {t(`experiments.page.phase.${key}`)}
            </dt>
            <dd className="num ml-auto">
              {duration(seconds)}{' '}
              <span className="inline-block w-10 text-right text-muted">
                {total > 0 ? percent(seconds / total, 0) : ''}
              </span>
            </dd>
          </div>
        ))}
        <div className="flex border-line border-t pt-1.5 text-muted">
          <dt>{experiment.started_at ? <Time at={experiment.started_at} style="full" /> : null}</dt>
          <dd className="num ml-auto pr-11 font-medium text-fg">{duration(total)}</dd>
        </div>
      </dl>
    </div>
  );
}
