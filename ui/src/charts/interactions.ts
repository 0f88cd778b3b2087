/** What two parameters do together: a square for each pair, the stronger its colour, the more. */
import type { EChartsOption } from 'echarts';
import type { TFunction } from 'i18next';
import { percent } from '@/lib/format';
import type { TableAlternative } from './ChartTable';
import { tip } from './tip';
import { type Tokens, withAlpha } from './tokens';

export interface Interaction {
  first: string;
  second: string;
  share: number;
  low: number;
  high: number;
  stands_out: boolean;
}

export const short = (text: string, most = 16) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** The pairs below the diagonal; `names` in the order in which they are shown. */
export function interactionsOption(
  interactions: readonly Interaction[],
  names: readonly string[],
  { tokens, t, isNarrow }: { tokens: Tokens; t: TFunction; isNarrow: boolean },
): EChartsOption {
  const place = new Map(names.map((name, index) => [name, index]));
  const cells = interactions.flatMap((pair) => {
    const [one, other] = [place.get(pair.first), place.get(pair.second)];
    if (one === undefined || other === undefined) return [];
    return [{ pair, x: Math.min(one, other), y: Math.max(one, other) }];
  });
  const most = Math.max(0.05, ...interactions.map((pair) => pair.share));
  return {
    grid: { left: 8, right: 12, top: 6, bottom: 6, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'item',
      formatter: (params) => {
        const one = Array.isArray(params) ? params[0] : params;
        const pair = cells[one?.dataIndex ?? -1]?.pair;
        if (!pair) return '';
        return tip(
          `${pair.first} × ${pair.second}`,
          [
            { name: t('results.importance.share'), value: percent(pair.share) },
            {
              name: t('results.importance.interval'),
              value: `${percent(pair.low)} – ${percent(pair.high)}`,
            },
          ],
          pair.stands_out ? undefined : t('results.importance.chance'),
        );
      },
    },
    xAxis: {
      type: 'category',
      data: names.slice(0, -1),
      splitArea: { show: false },
      axisLine: { show: false },
      axisLabel: {
        color: tokens.fg,
        interval: 0,
        hideOverlap: false,
        rotate: isNarrow || names.length > 4 ? 40 : 0,
        formatter: (name: string) => short(name, isNarrow ? 12 : 20),
      },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: names.map((name) => name),
      min: 1,
      axisLine: { show: false },
      axisLabel: {
        color: tokens.fg,
        interval: 0,
        formatter: (name: string) => short(name, isNarrow ? 12 : 24),
      },
    },
    visualMap: {
      show: false,
      min: 0,
      max: most,
      dimension: 2,
      inRange: { color: [tokens.sunken, tokens.accent] },
    },
    series: [
      {
        type: 'heatmap',
        data: cells.map(({ pair, x, y }) => ({
          value: [x, y, pair.share],
          label: {
            color: pair.share > most * 0.55 ? tokens.surface : tokens.fg,
            fontWeight: pair.stands_out ? 'bold' : 'normal',
          },
        })),
        label: {
          show: true,
          fontSize: 11,
          formatter: (params) => {
            const pair = cells[params.dataIndex]?.pair;
            return pair ? percent(pair.share, 0) : '';
          },
        },
        itemStyle: { borderColor: tokens.surface, borderWidth: 2, borderRadius: 4 },
        emphasis: { itemStyle: { borderColor: withAlpha(tokens.fg, 0.6), borderWidth: 1 } },
      },
    ],
  };
}

export function interactionsTable(interactions: readonly Interaction[], t: TFunction): TableAlternative {
  return {
    columns: [
      t('results.interactions.pair'),
      t('results.importance.share'),
      t('results.importance.interval'),
      t('results.importance.standsOut'),
    ],
    rows: interactions.map(({ first, second, share, low, high, stands_out }) => [
      `${first} × ${second}`,
      percent(share),
      `${percent(low)} – ${percent(high)}`,
      stands_out ? t('results.yes') : null,
    ]),
  };
}
