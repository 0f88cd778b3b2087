/** Small parts that say one thing of an experiment. */
import { Flag, Repeat2, ShieldAlert, ShieldCheck, TriangleAlert } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { Badge } from '@/components/Badge';
import { Tip } from '@/components/Tip';
import { cx } from '@/lib/cx';
import { duration, gain, number, setting } from '@/lib/format';
import { withUnit } from '@/lib/units';
import { gainOver, kindOfValue } from './read';
import { PlusMinus } from './Sure';
import { scoredInterval } from './worth';

/** Which part it plays; nothing for the usual one unless asked. */
export function RoleBadge({ role, always = false }: { role: string; always?: boolean }) {
  const { t } = useTranslation();
  if (role === 'search' && !always) return null;
  const icon = role === 'baseline' ? Flag : role === 'replicate' ? Repeat2 : undefined;
  return (
    <Badge tone={role === 'baseline' ? 'accent' : 'neutral'} {...(icon ? { icon } : {})}>
      {t(`experiments.role.${role}`, { defaultValue: role })}
    </Badge>
  );
}

export function FailureBadge({ kind }: { kind: string }) {
  const { t } = useTranslation();
  const name = t(`failure.${kind}`, { defaultValue: kind });
  // Of most kinds the name says it all.
  const hint = t(`failureHint.${kind}`, { defaultValue: '' });
  const tone = kind === 'early_aborted' ? 'neutral' : 'bad';
  if (hint === '') return <Badge tone={tone}>{name}</Badge>;
  return (
    <Tip text={hint}>
      <span className="inline-flex cursor-help">
        <Badge tone={tone}>
          {name}
          <span className="sr-only">: {hint}</span>
        </Badge>
      </span>
    </Tip>
  );
}

/** `p99 latency: 2.3 s against 2 s (+15 %)`. */
export function useViolationText() {
  const { t } = useTranslation();
  return (violation: Experiment['violations'][number]) =>
    t('experiments.violation', {
      metric: violation.metric,
      actual: duration(violation.actual),
      threshold: duration(violation.threshold),
      share:
        violation.violation_ratio >= 10
          ? `${number(violation.violation_ratio + 1, 3)}×`
          : gain(violation.violation_ratio),
    });
}

/** Whether every SLO is met; by how much not, where one points. */
export function Feasibility({ experiment }: { experiment: Experiment }) {
  const { t } = useTranslation();
  const text = useViolationText();
  if (experiment.feasible === null || experiment.feasible === undefined)
    return <span className="text-faint">–</span>;
  if (experiment.feasible)
    return (
      <span className="inline-flex items-center gap-1 align-middle text-good">
        <ShieldCheck aria-hidden className="size-4" />
        {t('experiments.feasible')}
      </span>
    );
  return (
    <Tip text={experiment.violations.map(text).join('; ')}>
      <span className="inline-flex items-center gap-1 align-middle text-warn">
        <ShieldAlert aria-hidden className="size-4" />
        {t('experiments.violations', { count: experiment.violations.length })}
      </span>
    </Tip>
  );
}

/** The parameters as chips: those that matter, each with its value. */
export function ParameterChips({
  parameters,
  names,
  most = 8,
}: {
  parameters: Readonly<Record<string, unknown>>;
  /** Which ones, in which order; all of them where nothing is said. */
  names?: readonly string[];
  most?: number;
}) {
  const { t } = useTranslation();
  const known = (names ?? Object.keys(parameters)).filter((name) => name in parameters);
  if (Object.keys(parameters).length === 0)
    return <span className="text-muted italic">{t('experiments.defaults')}</span>;
  const shown = known.slice(0, most);
  return (
    <span className="flex flex-wrap gap-1">
      {shown.map((name) => (
        <span
          key={name}
          className="inline-flex max-w-full items-baseline gap-1 rounded bg-sunken px-1.5 font-mono text-2xs leading-5 ring-1 ring-line ring-inset"
        >
          <span className="truncate text-muted">{name}</span>
          <span className="font-medium break-all">{setting(parameters[name])}</span>
        </span>
      ))}
      {known.length > shown.length && (
        <span className="text-muted text-xs">+{known.length - shown.length}</span>
      )}
    </span>
  );
}

/** The objective's value with its unit. */
export function ObjectiveValue({
  experiment,
  className,
  hasTrust = false,
}: {
  experiment: Experiment;
  className?: string;
  /** With how far it can be trusted: its interval, and whether it rests on few requests. */
  hasTrust?: boolean;
}) {
  const { t } = useTranslation();
  const value = experiment.objective_value;
  const kind = kindOfValue(experiment);
  return (
    <span className={cx('num whitespace-nowrap', className)}>
      {value === null || value === undefined ? '–' : withUnit(kind, value)}
      {hasTrust && <PlusMinus kind={kind} value={value} interval={scoredInterval(experiment)} />}
      {hasTrust && experiment.low_n && (
        <Tip text={t('results.lowN')}>
          <TriangleAlert
            role="img"
            aria-label={t('results.lowN')}
            className="ml-1 inline size-3.5 cursor-help align-[-0.15em] text-warn"
          />
        </Tip>
      )}
    </span>
  );
}

/** How much better than the engine's defaults, with its sign. */
export function GainOver({ experiment, baseline }: { experiment: Experiment; baseline: number | null }) {
  const { objective_value: value, direction } = experiment;
  if (baseline === null || value === null || value === undefined || experiment.role === 'baseline')
    return <span className="text-faint">–</span>;
  const share = gainOver(value, baseline, direction === 'maximize' ? 'maximize' : 'minimize');
  if (share === null) return <span className="text-faint">–</span>;
  return (
    <span className={cx('num', share > 0.0005 ? 'text-good' : share < -0.0005 ? 'text-bad' : 'text-muted')}>
      {gain(share)}
    </span>
  );
}
