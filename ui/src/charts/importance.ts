/** How much each parameter matters for the objective, with how sure that is. */
import type { CustomSeriesRenderItem, EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import { percent } from '@/lib/format';
import type { TableAlternative } from './ChartTable';
import { tip } from './tip';
import { type Tokens, withAlpha } from './tokens';

export interface Importance {
  name: string;
  importance: number;
  low: number | null;
  high: number | null;
  /** With what it does together with others. */
  total?: number;
  /** It may be chance: drawn faintly. */
  isFaint?: boolean;
}

/** A line from the low to the high end, with a tick at both. */
function whisker(color: string): CustomSeriesRenderItem {
  return (_params, api) => {
    const [row, low, high] = [api.value(0), api.value(1), api.value(2)].map(Number) as [
      number,
      number,
      number,
    ];
    const [x1 = 0, y = 0] = api.coord([low, row]);
    const [x2 = 0] = api.coord([high, row]);
    const line = (ax: number, ay: number, bx: number, by: number) => ({
      type: 'line' as const,
      shape: { x1: ax, y1: ay, x2: bx, y2: by },
      style: { stroke: color, lineWidth: 1.25 },
    });
    return {
      type: 'group',
      silent: true,
      children: [line(x1, y, x2, y), line(x1, y - 4, x1, y + 4), line(x2, y - 4, x2, y + 4)],
    };
  };
}

export function importanceOption(
  parameters: readonly Importance[],
  { tokens, t }: { tokens: Tokens; t: TFunction },
): EChartsOption {
  const sorted = parameters.toSorted((a, b) => a.importance - b.importance);
  const spans = sorted.flatMap(({ low, high }, index) =>
    low === null || high === null ? [] : [[index, low, high]],
  );
  return {
    grid: { left: 8, right: 52, top: 4, bottom: 4, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'item',
      formatter: (params) => {
        const one = Array.isArray(params) ? params[0] : params;
        const found = sorted[one?.dataIndex ?? -1];
        if (!found) return '';
        const rows = [{ name: t('results.importance.share'), value: percent(found.importance) }];
        if (found.low !== null && found.high !== null)
          rows.push({
            name: t('results.importance.interval'),
            value: `${percent(found.low)} – ${percent(found.high)}`,
          });
        if (found.total !== undefined)
          rows.push({ name: t('results.importance.total'), value: percent(found.total) });
        if (found.isFaint) return tip(found.name, rows, t('results.importance.chance'));
        return tip(found.name, rows);
      },
    },
    xAxis: {
      type: 'value',
      min: 0,
      max: Math.min(
        1,
        Math.ceil(
          Math.max(0.2, ...sorted.map((each) => Math.max(each.high ?? each.importance, each.total ?? 0))) * 5,
        ) / 5,
      ),
      axisLabel: { formatter: (value: number) => percent(value, 0) },
      axisLine: { show: false },
    },
    yAxis: {
      type: 'category',
      data: sorted.map((each) => each.name),
      axisLabel: { color: tokens.fg, width: 150, overflow: 'truncate', interval: 0 },
    },
    series: [
      {
        type: 'bar',
        stack: 'share',
        data: sorted.map(({ importance, isFaint = false }) => ({
          value: importance,
          itemStyle: { color: isFaint ? withAlpha(tokens.muted, 0.45) : withAlpha(tokens.accent, 0.8) },
        })),
        barMaxWidth: 16,
      },
      {
        type: 'bar',
        stack: 'share',
        data: sorted.map(({ importance, total = importance, isFaint = false }) => ({
          value: Math.max(0, total - importance),
          itemStyle: {
            color: isFaint ? withAlpha(tokens.muted, 0.18) : withAlpha(tokens.accent, 0.25),
            borderRadius: [0, 3, 3, 0],
          },
        })),
        barMaxWidth: 16,
      },
      { type: 'custom', renderItem: whisker(tokens.fg), data: spans, silent: true, z: 5 },
    ],
  };
}

export function importanceTable(parameters: readonly Importance[], t: TFunction): TableAlternative {
  const hasTotals = parameters.some(({ total }) => total !== undefined);
  const more = hasTotals ? [t('results.importance.total'), t('results.importance.standsOut')] : [];
  return {
    columns: [
      t('results.parameter'),
      t('results.importance.share'),
      t('results.importance.interval'),
      ...more,
    ],
    rows: parameters
      .toSorted((a, b) => b.importance - a.importance)
      .map(({ name, importance, low, high, total, isFaint = false }) => [
        name,
        percent(importance),
        low === null || high === null ? null : `${percent(low)} – ${percent(high)}`,
        ...(hasTotals ? [percent(total), isFaint ? null : t('results.yes')] : []),
      ]),
  };
}
