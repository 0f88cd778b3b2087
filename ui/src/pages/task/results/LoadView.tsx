/** How the best configuration, the defaults and what is chosen in the table behave under load. */
import { useQueries } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { experiment as experimentQuery } from '@/api/queries/experiments';
import { useTokens } from '@/charts/tokens';
import { idsOfText } from '@/components/experiment/filter';
import { LoadCharts, type LoadSeries } from '@/components/experiment/LoadCharts';
import { levelsOf } from '@/components/experiment/read';
import { Skeleton } from '@/components/States';
import { useAddress } from '@/lib/address';
import type { Results } from './useResults';

export function LoadView({ results }: { results: Results }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const [address] = useAddress();
  const { best, baseline, bounds } = results;
  const ids = useMemo(
    () => [
      ...new Set(
        [
          best?.id,
          baseline?.status === 'success' ? baseline.id : undefined,
          ...idsOfText(address.sel),
        ].filter((id) => id !== undefined),
      ),
    ],
    [best, baseline, address.sel],
  );
  const answers = useQueries({ queries: ids.map((id) => experimentQuery(id)) });
  if (ids.length === 0)
    return <p className="card p-8 text-center text-muted">{t('results.nothingMeasured')}</p>;
  if (answers.some((answer) => answer.isPending)) return <Skeleton className="h-96 w-full" />;
  const series: LoadSeries[] = answers.flatMap(({ data }, index) => {
    const levels = levelsOf(data);
    if (!data || levels.length === 0) return [];
    const isBest = data.id === best?.id;
    const isBaseline = data.id === baseline?.id;
    const word = isBest ? t('results.best') : isBaseline ? t('results.baseline') : '';
    return [
      {
        id: data.id,
        name: `${word ? `${word} · ` : ''}#${data.experiment_id}`,
        color: isBest
          ? tokens.good
          : isBaseline
            ? tokens['line-strong']
            : (tokens.series[(index - 2 + tokens.series.length) % tokens.series.length] ?? tokens.accent),
        isDashed: isBaseline && !isBest,
        levels,
      },
    ];
  });
  if (series.length === 0)
    return <p className="card p-8 text-center text-muted">{t('results.nothingMeasured')}</p>;
  return (
    <div className="space-y-3">
      <p className="text-muted text-xs">{t('results.level.hint')}</p>
      <LoadCharts series={series} bounds={bounds} />
    </div>
  );
}
