/** What speaks against a level's figures, and by how much. */
import type { Tone } from '@/components/Button';
import type { Level } from './read';
import type { EngineFigure } from './worth';

export type Finding =
  | { kind: 'client_limited'; reasons: readonly string[] }
  | { kind: 'client_error'; metric: string; share: number }
  | { kind: 'unsteady'; throughput: number | null; ttft: number | null }
  | { kind: 'rate_missed'; asked: number; achieved: number }
  | { kind: 'not_full'; asked: number; achieved: number }
  | { kind: 'held_back'; count: number }
  | { kind: 'late'; lag: number }
  | { kind: 'engine_differs'; figures: readonly EngineFigure[] }
  | { kind: 'few'; n: number };

export type FindingKind = Finding['kind'];

export const FINDING_TONES: Record<FindingKind, Tone> = {
  client_limited: 'bad',
  client_error: 'warn',
  unsteady: 'warn',
  rate_missed: 'warn',
  not_full: 'info',
  held_back: 'info',
  late: 'warn',
  engine_differs: 'warn',
  few: 'neutral',
};

/** Shares of a figure that are not worth telling; those of the results themselves. */
const TOLERATED = 0.05;

/** And so much more of times, in seconds: the way there and back. */
const TOLERATED_TIME = 0.002;

/** A start that is later than this, and than the next was due on average, is late. */
const LATE = 0.01;

/** What an engine says otherwise. Counts only tell something where every request ended well. */
export function engineDifferences(level: Level): EngineFigure[] {
  const allEndedWell = level.completed !== null && level.completed === level.requests;
  return level.worth.engine.filter(({ kind, said, difference }) =>
    kind === 'seconds'
      ? Math.abs(difference) > Math.abs(said) * TOLERATED + TOLERATED_TIME
      : allEndedWell && Math.abs(difference) > Math.abs(said) * TOLERATED,
  );
}

/** Whether fewer came about than were asked for, by more than chance brings about. */
function isMissed(asked: number | null, achieved: number | null, chance = 0): boolean {
  if (asked === null || achieved === null || asked <= 0) return false;
  return asked - achieved > Math.max(asked * TOLERATED, chance);
}

/** The load generator's own error in what is scored; the largest where that is not known. */
export function ownError(level: Level, scored: string | null): { metric: string; share: number } | null {
  const errors = Object.entries(level.worth.trust?.errors ?? {});
  const of = errors.filter(([key]) => scored === null || key === scored.replace(/_per_gpu$/, ''));
  const [metric, share] = of.toSorted(([, one], [, other]) => other - one)[0] ?? [];
  return metric === undefined || share === undefined ? null : { metric, share };
}

/** Everything that is to be known of a level, the worst first. `scored` is the metric that counts. */
export function findingsOf(level: Level, scored: string | null = null): Finding[] {
  const { trust, steadiness, schedule } = level.worth;
  const out: Finding[] = [];
  if (trust?.isClientLimited) out.push({ kind: 'client_limited', reasons: trust.reasons });
  else {
    const own = ownError(level, scored);
    if (own && own.share > TOLERATED) out.push({ kind: 'client_error', ...own });
  }
  if (steadiness && !steadiness.isSteady)
    out.push({
      kind: 'unsteady',
      throughput: steadiness.throughputDrift,
      ttft: steadiness.ttftDrift,
    });
  if (trust) {
    const { askedRate, achievedRate, askedConcurrency, achievedConcurrency } = trust;
    // Starts at random are as many as asked for on average only.
    const chance = askedRate && level.duration ? 3 * Math.sqrt(askedRate / level.duration) : 0;
    if (askedRate !== null && achievedRate !== null && isMissed(askedRate, achievedRate, chance))
      out.push({ kind: 'rate_missed', asked: askedRate, achieved: achievedRate });
    if (
      askedConcurrency !== null &&
      achievedConcurrency !== null &&
      isMissed(askedConcurrency, achievedConcurrency)
    )
      out.push({ kind: 'not_full', asked: askedConcurrency, achieved: achievedConcurrency });
  }
  if (schedule && schedule.heldBack > 0) out.push({ kind: 'held_back', count: schedule.heldBack });
  else if (schedule?.lagP99 && schedule.lagP99 > Math.max(LATE, schedule.rate ? 1 / schedule.rate : 0))
    out.push({ kind: 'late', lag: schedule.lagP99 });
  const figures = engineDifferences(level);
  if (figures.length > 0) out.push({ kind: 'engine_differs', figures });
  if (level.e2e.n !== null && level.e2e.lowN.length > 0) out.push({ kind: 'few', n: level.e2e.n });
  return out;
}

/** Whether results say anything at all of what they are worth. */
export function saysItsWorth(level: Level): boolean {
  const { trust, steadiness, intervals } = level.worth;
  return trust !== null || steadiness !== null || Object.keys(intervals).length > 0;
}
