/** How the search went, and what one metric costs in another. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Chart, type ChartEvent } from '@/charts/Chart';
import { historyOption, historyTable } from '@/charts/history';
import { type ParetoInput, paretoOption, paretoTable } from '@/charts/pareto';
import { useTokens } from '@/charts/tokens';
import { Card } from '@/components/Card';
import { metricInfo, metricOf, pointState } from '@/components/experiment/read';
import { Select } from '@/components/Select';
import { useAddress, useGo } from '@/lib/address';
import { href } from '@/lib/navigate';
import { METRICS, withUnit } from '@/lib/units';
import { noteOf, type Results } from './useResults';

export function OverviewView({ results }: { results: Results }) {
  return (
    <div className="grid gap-4 xl:grid-cols-2">
      <HistoryCard results={results} />
      <ParetoCard results={results} />
    </div>
  );
}

/** Leads to the experiment that was pressed; `at` is where its number is in the point. */
export function useOpenPoint({ task, run }: Results, at: number) {
  const go = useGo();
  return (event: ChartEvent) => {
    const number = Array.isArray(event.data) ? Number(event.data[at]) : Number.NaN;
    if (Number.isInteger(number)) go(href.experiment(task.id, number, { run }));
  };
}

function HistoryCard({ results }: { results: Results }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const open = useOpenPoint(results, 0);
  const { option, table } = useMemo(() => {
    const input = {
      points: results.experiments.map((each) => ({
        number: each.experiment_id,
        value: each.objective_value ?? null,
        score: each.objective_score ?? null,
        state: pointState(each),
        role: each.role,
        note: noteOf(each),
      })),
      name: results.name,
      format: results.format,
      baseline: results.baseline?.objective_value ?? null,
      best: results.best?.experiment_id ?? null,
      tokens,
      t,
    };
    return { option: historyOption(input), table: historyTable(input) };
  }, [results, tokens, t]);
  return (
    <Card title={t('results.history')} actions={<Axis text={results.name} />}>
      <Chart
        option={option}
        label={t('results.historyLabel', { name: results.name })}
        height={320}
        onClick={open}
        table={table}
      />
    </Card>
  );
}

function Axis({ text }: { text: string }) {
  return <span className="text-muted text-xs">{text}</span>;
}

/** The latency that is looked at beside throughput, where nobody chose. */
const USUAL_X: Record<string, string> = { minimize_ttft: 'mean_ttft', minimize_tpot: 'mean_tpot' };

function ParetoCard({ results }: { results: Results }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const open = useOpenPoint(results, 2);
  const [address, change] = useAddress();
  const known = (key: string | undefined) => METRICS.some((metric) => metric.key === key);
  // Two objectives are what a task wants to see against each other.
  const [first, second] = results.objectives;
  const usualX = second ?? USUAL_X[results.objective.name] ?? 'p99_e2e_latency';
  const usualY = (second && first) ?? 'mean_total_throughput_per_gpu';
  const x = known(address.x) ? String(address.x) : usualX;
  const y = known(address.y) ? String(address.y) : usualY;
  const { option, table, count } = useMemo(() => {
    const axis = (key: string) => {
      const { kind, better } = metricInfo(key);
      return {
        name: t(`metrics.${key}`),
        better,
        format: (value: number) => withUnit(kind, value),
        bounds: results.bounds.filter((bound) => bound.metric === key).map((bound) => bound.threshold),
      };
    };
    const points = results.experiments.flatMap((each) => {
      const [px, py] = [metricOf(each, x), metricOf(each, y)];
      if (px === null || py === null) return [];
      const { experiment_id: number, role } = each;
      return [{ number, role, x: px, y: py, state: pointState(each), note: noteOf(each) }];
    });
    const input: ParetoInput = {
      points,
      x: axis(x),
      y: axis(y),
      best: results.best?.experiment_id ?? null,
      tokens,
      t,
    };
    return { option: paretoOption(input), table: paretoTable(input), count: points.length };
  }, [results, x, y, tokens, t]);
  const options = METRICS.map(({ key }) => ({ value: key, label: t(`metrics.${key}`) }));
  return (
    <Card
      title={t('results.pareto.title')}
      actions={
        <div className="flex flex-wrap items-center gap-1.5 text-xs">
          <Select
            label={t('results.pareto.y')}
            value={y}
            options={options}
            onChange={(value) => change({ y: value })}
            className="h-7 text-xs"
          />
          <span className="text-muted">{t('results.pareto.against')}</span>
          <Select
            label={t('results.pareto.x')}
            value={x}
            options={options}
            onChange={(value) => change({ x: value })}
            className="h-7 text-xs"
          />
        </div>
      }
    >
      {count === 0 ? (
        <p className="grid h-80 place-items-center text-muted">{t('results.nothingMeasured')}</p>
      ) : (
        <Chart
          option={option}
          label={t('results.pareto.label', { x: t(`metrics.${x}`), y: t(`metrics.${y}`) })}
          height={320}
          onClick={open}
          table={table}
        />
      )}
    </Card>
  );
}
