/** Throughput and latencies of some experiments over the load, and how latencies are spread at one load. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Chart } from '@/charts/Chart';
import {
  axisOf,
  LEVEL_METRICS,
  type LevelMetric,
  type LevelSeries,
  levelsOption,
  levelsTable,
  loadsOf,
  loadText,
  scenariosOf,
} from '@/charts/levels';
import { quantilesOption, quantilesTable } from '@/charts/quantiles';
import { useTokens } from '@/charts/tokens';
import { Card } from '@/components/Card';
import { Select } from '@/components/Select';
import { Segmented } from '@/components/Toggle';
import { useAddress } from '@/lib/address';
import { asWord } from '@/lib/search';
import type { SloBound } from './read';

export interface LoadSeries extends LevelSeries {
  id: number;
}

const SHOWN = ['total_throughput', 'ttft_mean', 'tpot_mean', 'e2e_p99'] as const;
const QUANTITIES = ['e2e', 'ttft', 'tpot'] as const;

export function LoadCharts({
  series,
  bounds,
}: {
  series: readonly LoadSeries[];
  bounds: readonly SloBound[];
}) {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const scenarios = scenariosOf(series);
  const scenario = asWord(address.scenario, scenarios) ?? scenarios[0] ?? '';
  const loads = loadsOf(series, scenario).map(String);
  const axis = axisOf(series, scenario);
  const load = asWord(address.load, loads) ?? loads.at(-1) ?? '';
  const quantity = asWord(address.of, QUANTITIES) ?? 'e2e';
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Legend series={series} />
        <span className="flex-1" />
        {scenarios.length > 1 && (
          <Select
            label={t('results.level.scenario')}
            value={scenario}
            onChange={(value) => change({ scenario: value })}
            options={scenarios.map((value) => ({ value, label: value }))}
          />
        )}
      </div>
      <div className="grid gap-4 md:grid-cols-2">
        {SHOWN.map((key) => {
          const metric = LEVEL_METRICS.find((each) => each.key === key);
          return metric && <LevelCard key={key} {...{ series, metric, scenario, bounds }} />;
        })}
      </div>
      <Card
        title={t('results.spread.title')}
        actions={
          <div className="flex flex-wrap items-center gap-2">
            <Segmented
              label={t('results.spread.of')}
              value={quantity}
              onChange={(of) => change({ of })}
              options={QUANTITIES.map((value) => ({ value, label: t(`results.quantity.${value}`) }))}
            />
            {loads.length > 1 && (
              <Select
                label={t(`results.level.${axis}`)}
                value={load}
                onChange={(value) => change({ load: value })}
                options={loads.map((value) => ({
                  value,
                  label: loadText(t, axis, Number(value)),
                }))}
                className="h-7 text-xs"
              />
            )}
          </div>
        }
      >
        <Spread {...{ series, scenario, bounds, quantity }} load={Number(load)} />
      </Card>
    </div>
  );
}

function Legend({ series }: { series: readonly LoadSeries[] }) {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 text-xs">
      {series.map(({ id, name, color, isDashed }) => (
        <li key={id} className="flex items-center gap-1.5">
          <svg aria-hidden="true" width="18" height="8" className="shrink-0">
            <line
              x1="0"
              x2="18"
              y1="4"
              y2="4"
              stroke={color}
              strokeWidth="2.5"
              strokeDasharray={isDashed ? '4 3' : undefined}
            />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  );
}

/** The bound on what a chart draws, where the objectives have one. */
function boundOf(metric: LevelMetric, bounds: readonly SloBound[]): number | null {
  const [quantity, statistic] = metric.key.split('_');
  return (
    bounds.find((bound) => bound.quantity === quantity && bound.statistic === statistic)?.threshold ?? null
  );
}

function LevelCard({
  series,
  metric,
  scenario,
  bounds,
}: {
  series: readonly LoadSeries[];
  metric: LevelMetric;
  scenario: string;
  bounds: readonly SloBound[];
}) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const { option, table } = useMemo(() => {
    const input = { series, metric, scenario, bound: boundOf(metric, bounds), tokens, t };
    return { option: levelsOption(input), table: levelsTable(input) };
  }, [series, metric, scenario, bounds, tokens, t]);
  const name = t(`results.level.${metric.key}`);
  return (
    <Card title={name}>
      <Chart option={option} label={t('results.level.label', { name })} height={210} table={table} />
    </Card>
  );
}

function Spread({
  series,
  scenario,
  load,
  quantity,
  bounds,
}: {
  series: readonly LoadSeries[];
  scenario: string;
  load: number;
  quantity: (typeof QUANTITIES)[number];
  bounds: readonly SloBound[];
}) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const { option, table } = useMemo(() => {
    const input = {
      series: series.flatMap(({ name, color, isDashed, levels }) => {
        const level = levels.find((each) => each.scenario === scenario && each.load === load);
        return level
          ? [{ name, color, distribution: level[quantity], ...(isDashed ? { isDashed } : {}) }]
          : [];
      }),
      bounds: Object.fromEntries(
        bounds
          .filter((bound) => bound.quantity === quantity)
          .map((bound) => [bound.statistic, bound.threshold]),
      ),
      tokens,
      t,
    };
    return { option: quantilesOption(input), table: quantilesTable(input) };
  }, [series, scenario, load, quantity, bounds, tokens, t]);
  return (
    <Chart
      option={option}
      label={t('results.spread.label', { name: t(`results.quantity.${quantity}`) })}
      height={240}
      table={table}
    />
  );
}
