/** What speaks against figures: a word each, with what it means for people. */
import {
  CircleGauge,
  Clock,
  Gauge,
  Hourglass,
  type LucideIcon,
  Scale,
  ShieldAlert,
  Sigma,
  TrendingUp,
  Unplug,
} from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Badge } from '@/components/Badge';
import { Tip } from '@/components/Tip';
import { duration, gain, number, percent } from '@/lib/format';
import { withUnit } from '@/lib/units';
import { FINDING_TONES, type Finding, type FindingKind, findingsOf } from './findings';
import { levelText } from './levelText';
import type { Level } from './read';

const ICONS: Record<FindingKind, LucideIcon> = {
  client_limited: ShieldAlert,
  client_error: CircleGauge,
  unsteady: TrendingUp,
  rate_missed: Gauge,
  not_full: Unplug,
  held_back: Hourglass,
  late: Clock,
  engine_differs: Scale,
  few: Sigma,
};

/** What a finding says, as a sentence. */
export function useFindingText(): (finding: Finding) => string {
  const { t } = useTranslation();
  return (finding) => {
    const say = (values: Record<string, unknown>) => t(`results.trust.says.${finding.kind}`, values);
    switch (finding.kind) {
      case 'client_limited':
        return [say({}), ...finding.reasons].join(' ');
      case 'client_error':
        return say({ share: percent(finding.share), metric: t(`metrics.${finding.metric}`) });
      case 'unsteady':
        return say({ throughput: gain(finding.throughput), ttft: gain(finding.ttft) });
      case 'rate_missed':
        return say({ achieved: number(finding.achieved, 3), asked: number(finding.asked, 3) });
      case 'not_full':
        return say({ achieved: number(finding.achieved, 3), asked: number(finding.asked, 3) });
      case 'held_back':
        return say({ count: finding.count });
      case 'late':
        return say({ lag: duration(finding.lag) });
      case 'engine_differs':
        return say({
          figures: finding.figures
            .map(({ key, kind, said, difference }) =>
              t('results.trust.against', {
                name: t(`results.trust.engine.${key}`),
                said: withUnit(kind, said),
                seen: withUnit(kind, said + difference),
              }),
            )
            .join('; '),
        });
      case 'few':
        return say({ count: finding.n });
    }
  };
}

export function FindingBadge({ finding, text }: { finding: Finding; text?: string }) {
  const { t } = useTranslation();
  const name = t(`results.trust.kind.${finding.kind}`);
  const badge = (
    <Badge tone={FINDING_TONES[finding.kind]} icon={ICONS[finding.kind]} className={text && 'cursor-help'}>
      {name}
      {text && <span className="sr-only">: {text}</span>}
    </Badge>
  );
  if (!text) return badge;
  return (
    <Tip text={text}>
      <span className="inline-flex">{badge}</span>
    </Tip>
  );
}

/** The badges of one level. */
export function LevelBadges({ level, scored }: { level: Level; scored: string | null }) {
  const text = useFindingText();
  const findings = findingsOf(level, scored);
  if (findings.length === 0) return null;
  return (
    <span className="mt-1 flex flex-wrap gap-1">
      {findings.map((finding) => (
        <FindingBadge key={finding.kind} finding={finding} text={text(finding)} />
      ))}
    </span>
  );
}

/** One badge for each kind that any level has, with where it was found. */
export function TrustBadges({ levels, scored }: { levels: readonly Level[]; scored: string | null }) {
  const { t } = useTranslation();
  const text = useFindingText();
  const found = levels.flatMap((level) => findingsOf(level, scored).map((finding) => ({ level, finding })));
  const kinds = [...new Set(found.map(({ finding }) => finding.kind))];
  return (
    <>
      {kinds.map((kind) => {
        const of = found.filter(({ finding }) => finding.kind === kind);
        const first = of[0];
        if (!first) return null;
        const says = of.map(({ level, finding }) => `${levelText(t, level)}: ${text(finding)}`).join(' ');
        return <FindingBadge key={kind} finding={first.finding} text={says} />;
      })}
    </>
  );
}
