/** What happened in the window of a level, second by second. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Chart } from '@/charts/Chart';
import { SERIES_CHARTS, type SeriesChart, seriesOption, seriesTable } from '@/charts/series';
import { useTokens } from '@/charts/tokens';
import { Card } from '@/components/Card';
import { Select } from '@/components/Select';
import { useAddress } from '@/lib/address';
import { duration } from '@/lib/format';
import { asWord } from '@/lib/search';
import { levelText } from './levelText';
import type { Level } from './read';
import type { TimeSeries } from './worth';

export function SeriesCard({ levels }: { levels: readonly Level[] }) {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const known = levels.flatMap((level, index) =>
    level.worth.series ? [{ key: String(index), level, series: level.worth.series }] : [],
  );
  const keys = known.map(({ key }) => key);
  const key = asWord(address.level, keys) ?? keys.at(-1);
  const shown = known.find((each) => each.key === key);
  if (!shown) return null;
  return (
    <Card
      title={t('results.series.title')}
      actions={
        known.length > 1 && (
          <Select
            label={t('experiments.level.level')}
            value={shown.key}
            onChange={(level) => change({ level })}
            options={known.map((each) => ({ value: each.key, label: levelText(t, each.level) }))}
            className="h-7 text-xs"
          />
        )
      }
    >
      <p className="mb-3 text-muted text-xs">
        {t('results.series.hint', { slice: duration(shown.series.slice) })}
      </p>
      <div className="grid gap-x-6 gap-y-4 md:grid-cols-2">
        {SERIES_CHARTS.map((chart) => (
          <Over key={chart} chart={chart} series={shown.series} />
        ))}
      </div>
    </Card>
  );
}

function Over({ chart, series }: { chart: SeriesChart; series: TimeSeries }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const { option, table } = useMemo(() => {
    const input = { series, chart, tokens, t };
    return { option: seriesOption(input), table: seriesTable(input) };
  }, [series, chart, tokens, t]);
  const name = t(`results.series.${chart}`);
  return (
    <div className="min-w-0">
      <h3 className="mb-1 font-medium text-muted text-xs">{name}</h3>
      <Chart option={option} label={t('results.series.label', { name })} height={170} table={table} />
    </div>
  );
}
