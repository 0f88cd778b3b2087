/** The ways from an experiment to its neighbours, and to a comparison with what it is measured by. */
import { ChevronLeft, ChevronRight, GitCompareArrows, Star } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import type { Task } from '@/api/queries/tasks';
import { Badge } from '@/components/Badge';
import { Button, iconButtonClass } from '@/components/Button';
import { Menu } from '@/components/Menu';
import { Tip } from '@/components/Tip';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';

export function Actions({
  experiment,
  task,
  rows,
  run,
}: {
  experiment: Experiment;
  task: Task;
  rows: readonly Experiment[];
  run: number | undefined;
}) {
  const { t } = useTranslation();
  const at = rows.findIndex((each) => each.experiment_id === experiment.experiment_id);
  const [before, after] = [rows[at - 1], rows[at + 1]];
  const baseline = rows.findLast((each) => each.role === 'baseline');
  const bestId = run === undefined ? task.best_experiment_id : undefined;
  const comparisons = [
    ...(baseline && baseline.id !== experiment.id
      ? [{ label: t('experiments.page.withDefaults'), href: href.compare([baseline.id, experiment.id]) }]
      : []),
    ...(bestId && bestId !== experiment.id
      ? [{ label: t('experiments.page.withBest'), href: href.compare([bestId, experiment.id]) }]
      : []),
  ];
  return (
    <>
      {experiment.id === bestId && (
        <Badge tone="good" icon={Star}>
          {t('experiments.page.isBest')}
        </Badge>
      )}
      {comparisons.length > 0 && (
        <Menu trigger={<Button icon={GitCompareArrows}>{t('nav.compare')}</Button>} entries={comparisons} />
      )}
      <div className="flex">
        <Neighbour experiment={before} run={run} icon={ChevronLeft} label={t('experiments.page.previous')} />
        <Neighbour experiment={after} run={run} icon={ChevronRight} label={t('experiments.page.next')} />
      </div>
    </>
  );
}

function Neighbour({
  experiment,
  run,
  icon: Icon,
  label,
}: {
  experiment: Experiment | undefined;
  run: number | undefined;
  icon: typeof ChevronLeft;
  label: string;
}) {
  if (!experiment)
    return (
      <span aria-hidden className={cx(iconButtonClass(), 'opacity-40')}>
        <Icon className="size-4" />
      </span>
    );
  return (
    <Tip text={`${label} (#${experiment.experiment_id})`}>
      <a
        href={href.experiment(experiment.task_id, experiment.experiment_id, { run })}
        aria-label={label}
        className={iconButtonClass()}
      >
        <Icon aria-hidden className="size-4" />
      </a>
    </Tip>
  );
}
