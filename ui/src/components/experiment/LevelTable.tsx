/** What was measured at every level: how requests ended, how fast tokens came, and how long they took. */
import { useTranslation } from 'react-i18next';
import { Tip } from '@/components/Tip';
import { cx } from '@/lib/cx';
import { duration, number, percent } from '@/lib/format';
import { withUnit } from '@/lib/units';
import { underText } from './levelText';
import type { Distribution, Level } from './read';
import { IntervalLine } from './Sure';
import { LevelBadges } from './TrustBadges';

const QUANTITIES = ['ttft', 'tpot', 'e2e'] as const;
const STATISTICS = ['mean', 'p50', 'p90', 'p99'] as const;
const HEAD = 'border-line border-b px-3 py-2 font-medium whitespace-nowrap';

export function LevelTable({
  levels,
  scored = null,
}: {
  levels: readonly Level[];
  /** The metric that counts. */
  scored?: string | null;
}) {
  const { t } = useTranslation();
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section aria-label={t('experiments.page.levels')} tabIndex={0} className="relative overflow-x-auto">
      <table className="w-full text-xs">
        <caption className="sr-only">{t('experiments.page.levels')}</caption>
        <thead className="text-left text-muted">
          <tr>
            <th scope="col" className={cx(HEAD, 'pl-4')}>
              {t('experiments.level.level')}
            </th>
            <th scope="col" className={HEAD}>
              {t('experiments.level.requests')}
            </th>
            <th scope="col" className={HEAD}>
              {t('experiments.level.throughput')}
            </th>
            <th scope="col" className={HEAD}>
              {t('experiments.level.goodput')}
            </th>
            <th scope="col" className={HEAD}>
              {t('experiments.level.quantity')}
            </th>
            <th scope="col" className={cx(HEAD, 'text-right')}>
              {t('experiments.level.n')}
            </th>
            {STATISTICS.map((key) => (
              <th key={key} scope="col" className={cx(HEAD, 'text-right')}>
                {key === 'mean' ? t('experiments.level.mean') : key.toUpperCase()}
              </th>
            ))}
          </tr>
        </thead>
        {levels.map((level, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: levels have their place
          <LevelBody key={index} level={level} scored={scored} />
        ))}
      </table>
    </section>
  );
}

/** Under which name the interval of a statistic stands. */
const NAMES = { ttft: 'ttft', tpot: 'tpot', e2e: 'e2e_latency' } as const;

function LevelBody({ level, scored }: { level: Level; scored: string | null }) {
  const { t } = useTranslation();
  const { intervals } = level.worth;
  const span = QUANTITIES.length;
  const lost = (level.errors ?? 0) + (level.cutOff ?? 0);
  return (
    <tbody className="num border-line border-b last:border-0">
      {QUANTITIES.map((quantity, index) => (
        <tr key={quantity}>
          {index === 0 && (
            <>
              <th scope="rowgroup" rowSpan={span} className="px-3 py-2 pl-4 text-left align-top font-normal">
                <span className="font-medium font-mono">{level.scenario}</span>
                <span className="block text-muted">{underText(t, level)}</span>
                <LevelBadges level={level} scored={scored} />
              </th>
              <td rowSpan={span} className="px-3 py-2 align-top">
                {number(level.completed, 6)} / {number(level.requests, 6)}
                <span className={cx('block', lost > 0 ? 'text-bad' : 'text-muted')}>
                  {t('experiments.page.failedRequests', { count: level.errors ?? 0 })}
                  {(level.cutOff ?? 0) > 0 &&
                    `, ${t('experiments.level.cutOff', { count: level.cutOff ?? 0 })}`}
                </span>
                {level.errorCodes.length > 0 && (
                  <span className="block text-bad">
                    {level.errorCodes.map(([code, count]) => `${code} × ${count}`).join(', ')}
                  </span>
                )}
              </td>
              <td rowSpan={span} className="px-3 py-2 align-top whitespace-nowrap">
                {withUnit('tokens_per_second', level.totalThroughput)}
                <IntervalLine kind="tokens_per_second" interval={intervals.mean_total_throughput} />
                <span className="block text-muted">
                  {t('experiments.level.output')} {withUnit('tokens_per_second', level.outputThroughput)}
                </span>
                <span className="block text-muted">
                  {withUnit('requests_per_second', level.requestsPerSecond)}
                </span>
              </td>
              <td rowSpan={span} className="px-3 py-2 align-top whitespace-nowrap">
                {withUnit('requests_per_second', level.goodput)}
                <span className="block text-muted">
                  {t('experiments.level.attainment')} {percent(level.attainment)}
                </span>
              </td>
            </>
          )}
          <th scope="row" className="px-3 py-1.5 text-left align-top font-normal text-muted">
            {t(`results.quantity.${quantity}`)}
            {level.worth.schedule && quantity !== 'tpot' && (
              <span className="block text-2xs">{t('experiments.level.fromSchedule')}</span>
            )}
          </th>
          <td className="px-3 py-1.5 text-right align-top text-muted">{number(level[quantity].n, 6)}</td>
          {STATISTICS.map((key) => (
            <td key={key} className="px-3 py-1.5 text-right align-top">
              <Statistic distribution={level[quantity]} name={key} />
              <IntervalLine kind="seconds" interval={intervals[`${key}_${NAMES[quantity]}`]} />
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  );
}

function Statistic({
  distribution,
  name,
}: {
  distribution: Distribution;
  name: (typeof STATISTICS)[number];
}) {
  const { t } = useTranslation();
  const text = duration(distribution[name]);
  if (!distribution.lowN.includes(name)) return text;
  return (
    <Tip text={t('experiments.level.lowN')}>
      <span className="cursor-help text-muted underline decoration-dotted underline-offset-2">
        {text}
        <span className="sr-only"> ({t('experiments.level.lowN')})</span>
      </span>
    </Tip>
  );
}
