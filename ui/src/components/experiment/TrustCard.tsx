/** How far an experiment's figures can be trusted, level by level, in words. */
import { CircleCheck } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Card } from '@/components/Card';
import { cx } from '@/lib/cx';
import { duration, gain, number, percent } from '@/lib/format';
import { withUnit } from '@/lib/units';
import { engineDifferences, findingsOf, ownError, saysItsWorth } from './findings';
import { levelText } from './levelText';
import type { Level } from './read';
import { FindingBadge, useFindingText } from './TrustBadges';

const HEAD = 'border-line border-b px-3 py-2 font-medium whitespace-nowrap';
const CELL = 'px-3 py-2 align-top whitespace-nowrap';

export function TrustCard({ levels, scored }: { levels: readonly Level[]; scored: string | null }) {
  const { t } = useTranslation();
  const text = useFindingText();
  if (!levels.some(saysItsWorth)) return null;
  const found = levels.flatMap((level, at) =>
    findingsOf(level, scored).map((finding) => ({ at, level, finding })),
  );
  const hasEngine = levels.some(({ worth }) => worth.engine.length > 0);
  return (
    <Card title={t('results.trust.title')} padded={false}>
      {found.length === 0 ? (
        <p className="flex items-start gap-2 px-4 pt-3 text-good">
          <CircleCheck aria-hidden className="mt-0.5 size-4 shrink-0" />
          {t('results.trust.sound')}
        </p>
      ) : (
        <ul className="space-y-2 px-4 pt-3 text-sm">
          {found.map(({ at, level, finding }) => (
            <li key={`${at} ${finding.kind}`} className="flex flex-wrap items-baseline gap-x-2 gap-y-1">
              <FindingBadge finding={finding} />
              <span className="min-w-0 flex-1 basis-64">
                <span className="text-muted">{levelText(t, level)}:</span> {text(finding)}
              </span>
            </li>
          ))}
        </ul>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section aria-label={t('results.trust.table')} tabIndex={0} className="relative mt-3 overflow-x-auto">
        <table className="w-full border-line border-t text-xs">
          <caption className="sr-only">{t('results.trust.table')}</caption>
          <thead className="text-left text-muted">
            <tr>
              <th scope="col" className={cx(HEAD, 'pl-4')}>
                {t('experiments.level.level')}
              </th>
              <th scope="col" className={HEAD}>
                {t('results.trust.load')}
              </th>
              <th scope="col" className={HEAD}>
                {t('results.trust.evenness')}
              </th>
              <th scope="col" className={HEAD}>
                {t('results.trust.own')}
              </th>
              {hasEngine && (
                <th scope="col" className={HEAD}>
                  {t('results.trust.engines')}
                </th>
              )}
            </tr>
          </thead>
          <tbody className="num">
            {levels.map((level, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: levels have their place
              <tr key={index} className="border-line/60 border-b last:border-0">
                <th scope="row" className={cx(CELL, 'pl-4 text-left font-normal')}>
                  <span className="font-medium">{levelText(t, level)}</span>
                </th>
                <td className={CELL}>
                  <Reached level={level} />
                </td>
                <td className={CELL}>
                  <Evenness level={level} />
                </td>
                <td className={CELL}>
                  <OwnError level={level} scored={scored} />
                </td>
                {hasEngine && (
                  <td className={CELL}>
                    <Engines level={level} />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="border-line border-t px-4 py-2.5 text-muted text-xs">{t('results.trust.note')}</p>
    </Card>
  );
}

function None() {
  return <span className="text-faint">–</span>;
}

/** What was asked for, and what came about. */
function Reached({ level }: { level: Level }) {
  const { t } = useTranslation();
  const { trust, schedule } = level.worth;
  if (!trust) return <None />;
  const isByClock = trust.askedRate !== null;
  const asked = isByClock ? trust.askedRate : trust.askedConcurrency;
  const achieved = isByClock ? trust.achievedRate : trust.achievedConcurrency;
  if (asked === null || achieved === null) return <None />;
  return (
    <>
      {t(isByClock ? 'results.trust.rate' : 'results.trust.inFlight', {
        asked: number(asked, 3),
        achieved: number(achieved, 3),
      })}
      {schedule?.lagP99 != null && (
        <span className="block text-muted">{t('results.trust.lag', { lag: duration(schedule.lagP99) })}</span>
      )}
      {schedule && schedule.heldBack > 0 && (
        <span className="block text-muted">{t('results.trust.heldBack', { count: schedule.heldBack })}</span>
      )}
    </>
  );
}

function Evenness({ level }: { level: Level }) {
  const { t } = useTranslation();
  const { steadiness } = level.worth;
  if (!steadiness) return <span className="text-faint">{t('results.trust.tooShort')}</span>;
  return (
    <>
      <span className={steadiness.isSteady ? undefined : 'text-warn'}>
        {t(steadiness.isSteady ? 'results.trust.even' : 'results.trust.uneven')}
      </span>
      <span className="block text-muted">
        {t('results.trust.drift', {
          throughput: gain(steadiness.throughputDrift),
          ttft: gain(steadiness.ttftDrift),
        })}
      </span>
    </>
  );
}

function OwnError({ level, scored }: { level: Level; scored: string | null }) {
  const { t } = useTranslation();
  const own = ownError(level, scored);
  if (!own) return <None />;
  return (
    <>
      {percent(own.share, own.share < 0.001 ? 2 : 1)}
      <span className="block text-muted">
        {t('results.trust.of', { metric: t(`metrics.${own.metric}`) })}
      </span>
    </>
  );
}

/** What the engine says, where it says something: the difference of what was measured. */
function Engines({ level }: { level: Level }) {
  const { t } = useTranslation();
  const { engine } = level.worth;
  const told = engineDifferences(level);
  const times = engine.filter(({ kind }) => kind === 'seconds');
  const shown = times.length > 0 ? [...times, ...told.filter(({ kind }) => kind !== 'seconds')] : engine;
  if (shown.length === 0) return <None />;
  return (
    <ul>
      {shown.map((figure) => (
        <li key={figure.key} className={told.includes(figure) ? 'text-warn' : undefined}>
          <span className="text-muted">{t(`results.trust.engine.${figure.key}`)}</span>{' '}
          {withUnit(figure.kind, figure.said)}
        </li>
      ))}
    </ul>
  );
}
