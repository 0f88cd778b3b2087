/** What the parameters do: all at once, how much each matters, and one by one. */
import type { ECharts } from 'echarts';
import { FilterX } from 'lucide-react';
import { useCallback, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { type Brush, type Interval, OBJECTIVE_AXIS, paintBrushes } from '@/charts/brush';
import { Chart } from '@/charts/Chart';
import { parallelOption } from '@/charts/parallel';
import { type SliceInput, sliceOption, sliceTable } from '@/charts/slices';
import { useTokens } from '@/charts/tokens';
import { Button } from '@/components/Button';
import { Card } from '@/components/Card';
import type { Dimension } from '@/components/experiment/parameters';
import { pointState } from '@/components/experiment/read';
import { useIsPhone } from '@/components/experiment/useIsPhone';
import { setting } from '@/lib/format';
import { ImportanceCards } from './ImportanceCard';
import { useOpenPoint } from './OverviewView';
import { useBrush } from './useBrush';
import type { Results } from './useResults';

export function ParametersView({ results }: { results: Results }) {
  const { t } = useTranslation();
  const { axes } = useBrush(results);
  if (axes.length === 0)
    return <p className="card p-8 text-center text-muted">{t('results.parallel.nothingVaries')}</p>;
  return (
    <div className="grid gap-4">
      <ParallelCard results={results} />
      <ImportanceCards results={results} />
      <SlicesCard results={results} axes={axes} />
    </div>
  );
}

/** What the chart says when an axis is brushed. */
interface Brushed {
  parallelAxisId?: string;
  intervals?: Interval[];
}

function ParallelCard({ results }: { results: Results }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const isNarrow = useIsPhone();
  const { axes, brush, only, setBrush, clear } = useBrush(results);
  const newest = useRef({ brush, axes, color: tokens.accent });
  newest.current = { brush, axes, color: tokens.accent };
  const { option, table } = useMemo(() => {
    const rows = results.experiments
      .filter((each) => Object.keys(each.parameters).length > 0)
      .map((each) => ({
        number: each.experiment_id,
        parameters: each.parameters,
        value: each.objective_value ?? null,
        state: pointState(each),
      }));
    return {
      option: parallelOption({
        rows,
        dimensions: axes,
        direction: results.objective.direction,
        name: results.name,
        format: results.format,
        best: results.best?.experiment_id ?? null,
        tokens,
        t,
        isNarrow,
      }),
      table: {
        columns: [t('experiments.column.number'), ...axes.map((axis) => axis.name), results.name],
        rows: rows.map((row) => [
          row.number,
          ...axes.map((axis) => (axis.name in row.parameters ? setting(row.parameters[axis.name]) : null)),
          row.value === null ? null : results.format(row.value),
        ]),
      },
    };
  }, [results, axes, tokens, t, isNarrow]);
  const events = useMemo(
    () => ({
      axisareaselected: (event: unknown) => {
        const { parallelAxisId, intervals = [] } = event as Brushed;
        const index = Number(String(parallelAxisId ?? '').replace('axis-', ''));
        const { axes: known, brush: before } = newest.current;
        const name = index === known.length ? OBJECTIVE_AXIS : known[index]?.name;
        if (name === undefined || Number.isNaN(index)) return;
        const next: Record<string, readonly Interval[]> = { ...before, [name]: intervals };
        if (intervals.length === 0) delete next[name];
        setBrush(next);
      },
    }),
    [setBrush],
  );
  const chart = useRef<ECharts | null>(null);
  const onDrawn = useCallback((drawn: ECharts) => {
    chart.current = drawn;
    show(drawn, newest.current.brush, newest.current.axes);
    paintBrushes(drawn, newest.current.color);
  }, []);
  const clearAll = () => {
    if (chart.current) show(chart.current, {}, axes);
    clear();
  };
  return (
    <Card
      title={t('results.parallel.title')}
      actions={
        only ? (
          <Button kind="ghost" size="sm" icon={FilterX} onClick={clearAll}>
            {t('results.parallel.kept', { shown: only.size })}
          </Button>
        ) : (
          <span className="text-muted text-xs">{t('results.parallel.hint')}</span>
        )
      }
    >
      <div className="overflow-x-auto">
        <Chart
          option={option}
          label={t('results.parallel.label', { name: results.name })}
          height={360}
          events={events}
          onDrawn={onDrawn}
          table={table}
          className={axes.length > 3 ? 'min-w-[40rem]' : ''}
        />
      </div>
      <p className="mt-2 text-muted text-xs">{t('results.parallel.legend')}</p>
    </Card>
  );
}

/** Draws the brushes of every axis, without telling of it. */
function show(chart: ECharts, brush: Brush, axes: readonly Dimension[]): void {
  const names = [...axes.map((axis) => axis.name), OBJECTIVE_AXIS];
  const select = (name: string, index: number) =>
    chart.dispatchAction(
      {
        type: 'axisAreaSelect',
        parallelAxisId: `axis-${index}`,
        intervals: (brush[name] ?? []).map(([low, high]) => [low, high]),
      },
      { silent: true },
    );
  names.forEach(select);
  // The axis that was told last draws its brush only when another one is told something.
  select(names[0] ?? '', 0);
}

function SlicesCard({ results, axes }: { results: Results; axes: readonly Dimension[] }) {
  const { t } = useTranslation();
  return (
    <Card
      title={t('results.slice.title')}
      actions={<span className="text-muted text-xs">{results.name}</span>}
    >
      <div className="grid gap-x-6 gap-y-4 sm:grid-cols-2 xl:grid-cols-3">
        {axes.map((axis) => (
          <SliceChart key={axis.name} results={results} axis={axis} />
        ))}
      </div>
      <p className="mt-3 text-muted text-xs">{t('results.slice.legend')}</p>
    </Card>
  );
}

function SliceChart({ results, axis }: { results: Results; axis: Dimension }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const open = useOpenPoint(results, 2);
  const { option, table } = useMemo(() => {
    const input: SliceInput = {
      dimension: axis,
      rows: results.experiments.flatMap((each) => {
        const objective = each.objective_value;
        if (objective === null || objective === undefined || !(axis.name in each.parameters)) return [];
        const { experiment_id: number } = each;
        return [{ number, value: each.parameters[axis.name], objective, state: pointState(each) }];
      }),
      name: results.name,
      format: results.format,
      best: results.best?.experiment_id ?? null,
      tokens,
      t,
    };
    return { option: sliceOption(input), table: sliceTable(input) };
  }, [results, axis, tokens, t]);
  return (
    <div className="min-w-0">
      <h3 className="mb-1 truncate font-mono text-xs">{axis.name}</h3>
      <Chart
        option={option}
        label={t('results.slice.label', { name: results.name, parameter: axis.name })}
        height={180}
        onClick={open}
        table={table}
      />
    </div>
  );
}
