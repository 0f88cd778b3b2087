/** By how much the best of a run beats the engine's defaults, and what can be claimed of it. */
import { useTranslation } from 'react-i18next';
import { Tip } from '@/components/Tip';
import { cx } from '@/lib/cx';
import { gain as written } from '@/lib/format';

/** What a verdict can claim. */
const CLAIMS = new Set([
  'gain',
  'meets_slos',
  'no_gain',
  'undecided',
  'unconfirmed',
  'only_defaults',
  'no_baseline',
  'nothing_feasible',
  'nothing_measured',
]);

/** What may be claimed of a task as it is: while it runs, that nothing was found yet says nothing. */
export function claimOf(task: { status: string; claim?: string | null }): string | null {
  const isOver = task.status !== 'running' && task.status !== 'pending';
  const isFound = task.claim === 'gain' || task.claim === 'meets_slos' || task.claim === 'unconfirmed';
  return isOver || isFound ? (task.claim ?? null) : null;
}

export type GainTone = 'good' | 'warn' | 'neutral';

/** How a claim is to be felt. */
export function toneOfClaim(claim: string | null | undefined, gain: number | null | undefined): GainTone {
  if (claim === 'gain' || claim === 'meets_slos') return 'good';
  if (claim === 'nothing_feasible' || claim === 'no_baseline' || claim === 'nothing_measured') return 'warn';
  return !claim && (gain ?? 0) > 0 ? 'good' : 'neutral';
}

/** Whether the gain is to be told as a number: what is no gain, or may be none, is told in words. */
export function isTold(claim: string | null | undefined, gain: number | null | undefined): gain is number {
  return typeof gain === 'number' && claim !== 'no_gain' && claim !== 'undecided';
}

const TEXT: Record<GainTone, string> = { good: 'text-good', warn: 'text-warn', neutral: 'text-muted' };

export function Gain({
  gain,
  claim,
  className,
}: {
  gain: number | null | undefined;
  claim?: string | null | undefined;
  className?: string;
}) {
  const { t } = useTranslation();
  const isKnown = claim !== null && claim !== undefined && CLAIMS.has(claim);
  const hasNumber = isTold(claim, gain);
  const text = hasNumber ? written(gain) : isKnown ? t(`tasks.claim.${claim}.short`) : '–';
  const shown = (
    <span
      className={cx(
        'whitespace-nowrap',
        claim === 'unconfirmed' && 'underline decoration-dotted underline-offset-4',
        hasNumber && 'num font-medium',
        TEXT[toneOfClaim(claim, gain)],
        className,
      )}
    >
      {text}
    </span>
  );
  return isKnown ? <Tip text={t(`tasks.claim.${claim}.long`)}>{shown}</Tip> : shown;
}
