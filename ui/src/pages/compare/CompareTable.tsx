/** Parameters and figures of some experiments, one column each. */
import { ArrowLeftToLine, CircleCheck, Equal, Trophy, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { StatusBadge } from '@/components/Badge';
import { IconButton } from '@/components/Button';
import { experimentHref } from '@/components/experiment/columns';
import { findingsOf, saysItsWorth } from '@/components/experiment/findings';
import { differences } from '@/components/experiment/parameters';
import { FailureBadge, Feasibility, ObjectiveValue, RoleBadge } from '@/components/experiment/parts';
import { kindOfValue, levelsOf } from '@/components/experiment/read';
import { IntervalLine } from '@/components/experiment/Sure';
import { TrustBadges } from '@/components/experiment/TrustBadges';
import { intervalOf, scoredInterval, scoredMetric } from '@/components/experiment/worth';
import { Switch } from '@/components/Toggle';
import { useAddress } from '@/lib/address';
import { cx } from '@/lib/cx';
import { duration, gain, setting } from '@/lib/format';
import { href } from '@/lib/navigate';
import { withUnit } from '@/lib/units';
import { type MetricRow, metricRows } from './rows';

export interface CompareTableProps {
  experiments: readonly Experiment[];
  tasks: ReadonlyMap<number, Task>;
  colorOf: (index: number) => string;
  onRemove: (id: number) => void;
  onFirst: (id: number) => void;
}

const NAME =
  'sticky left-0 z-10 w-48 max-w-48 bg-surface px-4 py-1.5 text-left font-normal text-muted max-sm:w-32 max-sm:max-w-32 max-sm:px-3';
const CELL = 'min-w-36 border-line/60 border-l px-4 py-1.5 align-top';

export function CompareTable(props: CompareTableProps) {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const onlyDifferent = address.only === 'different';
  const { experiments } = props;
  const parameters = differences(experiments.map((each) => each.parameters)).filter(
    (row) => !onlyDifferent || row.isDifferent,
  );
  return (
    <div className="card min-w-0">
      <div className="flex justify-end border-line border-b px-4 py-2.5">
        <Switch
          isOn={onlyDifferent}
          onChange={(isOn) => change({ only: isOn ? 'different' : undefined })}
          label={t('experiments.compare.onlyDifferences')}
        />
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section aria-label={t('experiments.compare.title')} tabIndex={0} className="relative overflow-x-auto">
        <table className="w-full text-sm">
          <caption className="sr-only">{t('experiments.compare.title')}</caption>
          <Head {...props} />
          <tbody>
            <Line name={t('experiments.column.status')} of={experiments}>
              {(each) =>
                each.failure_kind ? (
                  <FailureBadge kind={each.failure_kind} />
                ) : (
                  <StatusBadge status={each.status} />
                )
              }
            </Line>
            <Line name={t('experiments.column.objective')} of={experiments}>
              {(each) => (
                <>
                  <ObjectiveValue experiment={each} className="font-medium" />
                  <IntervalLine kind={kindOfValue(each)} interval={scoredInterval(each)} />
                </>
              )}
            </Line>
            <Line name={t('experiments.column.feasible')} of={experiments}>
              {(each) => <Feasibility experiment={each} />}
            </Line>
            {experiments.some((each) => levelsOf(each).some(saysItsWorth)) && (
              <Line name={t('results.trust.short')} of={experiments}>
                {(each) => <TrustOf experiment={each} />}
              </Line>
            )}
            <Line name={t('experiments.column.duration')} of={experiments}>
              {(each) => <span className="num">{duration(each.elapsed_time)}</span>}
            </Line>
          </tbody>
          <tbody>
            <SectionHead title={t('experiments.compare.parameters')} span={experiments.length} />
            {parameters.length === 0 && (
              <tr>
                <td colSpan={experiments.length + 1} className="px-4 py-3 text-muted">
                  {t('experiments.compare.same')}
                </td>
              </tr>
            )}
            {parameters.map(({ name, values, isDifferent }) => (
              <tr key={name} className="border-line/60 border-t">
                <th scope="row" className={cx(NAME, 'font-mono text-xs break-words')}>
                  {name}
                  {isDifferent && <span className="sr-only"> ({t('experiments.compare.different')})</span>}
                </th>
                {values.map((value, index) => (
                  <td
                    key={experiments[index]?.id}
                    className={cx(
                      CELL,
                      'font-mono text-xs',
                      isDifferent && 'bg-accent-soft/60 font-semibold',
                    )}
                  >
                    {value === undefined ? (
                      <span className="font-normal font-sans text-muted italic">
                        {t('experiments.compare.absent')}
                      </span>
                    ) : (
                      setting(value)
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
          <tbody>
            <SectionHead title={t('experiments.compare.metrics')} span={experiments.length} />
            {metricRows(experiments).map((row) => (
              <MetricLine key={row.metric.key} row={row} experiments={experiments} />
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

function Head({ experiments, tasks, colorOf, onRemove, onFirst }: CompareTableProps) {
  const { t } = useTranslation();
  return (
    <thead>
      <tr>
        <td className={NAME} />
        {experiments.map((each, index) => (
          <th key={each.id} scope="col" className={cx(CELL, 'pb-2 text-left font-normal')}>
            <div className="flex items-start justify-between gap-1">
              <div className="min-w-0">
                <a
                  href={experimentHref(
                    each,
                    tasks.get(each.task_id)?.run === each.run ? undefined : each.run,
                  )}
                  className="flex min-h-6 items-center gap-2 font-semibold hover:text-accent hover:underline"
                >
                  <svg aria-hidden="true" width="10" height="10" className="shrink-0">
                    <circle cx="5" cy="5" r="5" fill={colorOf(index)} />
                  </svg>
                  <span className="whitespace-nowrap">
                    {t('experiments.title', { number: each.experiment_id })}
                  </span>
                </a>
                <a
                  href={href.task(each.task_id)}
                  className="line-clamp-2 py-1 text-muted text-xs hover:text-fg hover:underline"
                >
                  {tasks.get(each.task_id)?.task_name ?? t('experiments.taskNumber', { id: each.task_id })}
                </a>
                <span className="mt-1 flex min-h-6 flex-wrap items-center gap-1">
                  <RoleBadge role={each.role} />
                  {index === 0 && (
                    <span className="text-muted text-xs">{t('experiments.compare.reference')}</span>
                  )}
                </span>
              </div>
              <div className="-mt-1 -mr-2 flex">
                {index > 0 && (
                  <IconButton
                    icon={ArrowLeftToLine}
                    label={t('experiments.compare.makeFirst')}
                    onClick={() => onFirst(each.id)}
                    className="size-7"
                  />
                )}
                <IconButton
                  icon={X}
                  label={t('experiments.compare.remove', { number: each.experiment_id, task: each.task_id })}
                  tip={t('action.remove')}
                  onClick={() => onRemove(each.id)}
                  className="size-7"
                />
              </div>
            </div>
          </th>
        ))}
      </tr>
    </thead>
  );
}

function TrustOf({ experiment }: { experiment: Experiment }) {
  const { t } = useTranslation();
  const levels = levelsOf(experiment);
  const scored = scoredMetric(experiment);
  if (!levels.some(saysItsWorth)) return <span className="text-faint">–</span>;
  const isSound = levels.every((level) => findingsOf(level, scored).length === 0);
  if (isSound)
    return (
      <span className="inline-flex items-center gap-1 text-good">
        <CircleCheck aria-hidden className="size-4" />
        {t('results.trust.nothing')}
      </span>
    );
  return (
    <span className="flex flex-wrap gap-1">
      <TrustBadges levels={levels} scored={scored} />
    </span>
  );
}

function SectionHead({ title, span }: { title: string; span: number }) {
  return (
    <tr className="border-line border-y bg-sunken">
      <th
        scope="rowgroup"
        colSpan={span + 1}
        className="px-4 py-1.5 text-left font-semibold text-xs tracking-wide max-sm:px-3"
      >
        <span className="sticky left-4">{title}</span>
      </th>
    </tr>
  );
}

function Line({
  name,
  of,
  children,
}: {
  name: string;
  of: readonly Experiment[];
  children: (experiment: Experiment) => ReactNode;
}) {
  return (
    <tr className="border-line/60 border-t">
      <th scope="row" className={NAME}>
        {name}
      </th>
      {of.map((each) => (
        <td key={each.id} className={CELL}>
          {children(each)}
        </td>
      ))}
    </tr>
  );
}

function MetricLine({
  row: { metric, values, best, shares },
  experiments,
}: {
  row: MetricRow;
  experiments: readonly Experiment[];
}) {
  const { t } = useTranslation();
  return (
    <tr className="border-line/60 border-t">
      <th scope="row" className={NAME}>
        {t(`metrics.${metric.key}`)}
      </th>
      {values.map((value, index) => {
        const share = shares[index] ?? null;
        const isBest = best.includes(index);
        const isBetter = share !== null && (metric.better === 'lower' ? share < 0 : share > 0);
        return (
          <td key={experiments[index]?.id} className={CELL}>
            <span className={cx('num inline-flex items-center gap-1.5', isBest && 'font-semibold text-good')}>
              {withUnit(metric.kind, value)}
              {isBest && (
                <Trophy role="img" aria-label={t('experiments.compare.bestOf')} className="size-3.5" />
              )}
            </span>
            {experiments[index] && (
              <IntervalLine kind={metric.kind} interval={intervalOf(experiments[index], metric.key)} />
            )}
            {share !== null && (
              <span
                className={cx(
                  'num block text-xs',
                  Math.abs(share) < 0.0005 ? 'text-muted' : isBetter ? 'text-good' : 'text-bad',
                )}
              >
                {Math.abs(share) < 0.0005 ? <Equal aria-label="=" className="inline size-3" /> : gain(share)}
              </span>
            )}
          </td>
        );
      })}
    </tr>
  );
}
