/** How much each parameter matters: for what is measured, and for being among the best. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/api/client';
import { Chart } from '@/charts/Chart';
import { type Importance, importanceOption, importanceTable } from '@/charts/importance';
import { interactionsOption, interactionsTable } from '@/charts/interactions';
import { useTokens } from '@/charts/tokens';
import { Card } from '@/components/Card';
import { useIsPhone } from '@/components/experiment/useIsPhone';
import { Segmented } from '@/components/Toggle';
import { useAddress } from '@/lib/address';
import { percent } from '@/lib/format';
import { asWord } from '@/lib/search';
import type { Results } from './useResults';
import { WithInsight } from './WithInsight';

type Insight = Schemas['InsightView'];

const WAYS = ['model', 'best'] as const;

export function ImportanceCards({ results }: { results: Results }) {
  const { t } = useTranslation();
  return (
    <WithInsight results={results} title={t('results.importance.title')}>
      {(insight) => {
        const hasPairs = insight.variance.interactions.length > 0;
        return (
          <div className={hasPairs ? 'grid gap-4 xl:grid-cols-2' : 'grid gap-4'}>
            <ImportanceCard results={results} insight={insight} />
            {hasPairs && <InteractionsCard insight={insight} />}
          </div>
        );
      }}
    </WithInsight>
  );
}

function ImportanceCard({ results, insight }: { results: Results; insight: Insight }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const [address, change] = useAddress();
  const way = asWord(address.importance, WAYS) ?? 'model';
  const rows = useMemo<Importance[]>(
    () =>
      way === 'best'
        ? insight.parameters
        : insight.variance.effects.map(({ name, main, total, stands_out }) => ({
            name,
            importance: main.share,
            low: main.low,
            high: main.high,
            total: total.share,
            isFaint: !stands_out,
          })),
    [insight, way],
  );
  const option = useMemo(
    () => (rows.length > 0 ? importanceOption(rows, { tokens, t }) : null),
    [rows, tokens, t],
  );
  const isChance = way === 'model' && rows.length > 0 && rows.every((row) => row.isFaint);
  const said = way === 'best' ? insight.note : insight.variance.note;
  const note = isChance ? t('results.importance.nothing') : said;
  const used = way === 'best' ? insight.experiments_used : insight.variance.experiments_used;
  const { unexplained } = insight.variance;
  return (
    <Card
      title={t('results.importance.title')}
      actions={
        <Segmented
          label={t('results.importance.way')}
          value={way}
          onChange={(next) => change({ importance: next === 'model' ? undefined : next })}
          options={WAYS.map((value) => ({ value, label: t(`results.importance.ways.${value}`) }))}
        />
      }
    >
      {option ? (
        <>
          <Chart
            option={option}
            label={t('results.importance.label', { name: results.name })}
            height={Math.max(120, rows.length * 30 + 36)}
            table={importanceTable(rows, t)}
          />
          {note && <p className="mt-2 text-xs">{note}</p>}
          <p className="mt-2 text-muted text-xs">
            {t(`results.importance.explain.${way}`, { name: results.name })}{' '}
            {t('results.importance.from', { count: used })}
            {way === 'model' && unexplained
              ? `; ${t('results.importance.unexplained', {
                  share: percent(unexplained.share, 0),
                  low: percent(unexplained.low, 0),
                  high: percent(unexplained.high, 0),
                })}`
              : ''}
            {t('results.stop')}
          </p>
        </>
      ) : (
        <p className="py-4 text-center text-muted">{note ?? t('results.importance.none')}</p>
      )}
    </Card>
  );
}

function InteractionsCard({ insight }: { insight: Insight }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const isNarrow = useIsPhone();
  const { interactions, effects } = insight.variance;
  const { option, names } = useMemo(() => {
    const paired = new Set(interactions.flatMap(({ first, second }) => [first, second]));
    const shown = effects.map(({ name }) => name).filter((name) => paired.has(name));
    return { names: shown, option: interactionsOption(interactions, shown, { tokens, t, isNarrow }) };
  }, [interactions, effects, tokens, t, isNarrow]);
  const telling = interactions.filter((pair) => pair.stands_out);
  return (
    <Card title={t('results.interactions.title')}>
      <Chart
        option={option}
        label={t('results.interactions.label')}
        height={Math.max(140, names.length * 34 + 60)}
        table={interactionsTable(interactions, t)}
      />
      {telling.length === 0 ? (
        <p className="mt-2 text-xs">{t('results.interactions.none')}</p>
      ) : (
        <ul className="mt-2 space-y-0.5 text-xs">
          {telling.map(({ first, second, share, low, high }) => (
            <li key={`${first} ${second}`}>
              <span className="font-mono">
                {first} × {second}
              </span>
              : {percent(share, 0)}{' '}
              <span className="text-muted">
                ({percent(low, 0)} – {percent(high, 0)})
              </span>
            </li>
          ))}
        </ul>
      )}
      <p className="mt-2 text-muted text-xs">{t('results.interactions.explain')}</p>
    </Card>
  );
}
