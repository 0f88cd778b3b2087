/** Where configurations work: the rules that explain failures, a map of two parameters, and each value. */
import { MoveDown, MoveRight } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '@/api/client';
import { Chart } from '@/charts/Chart';
import {
  type PairMap,
  pairOption,
  pairTable,
  type ValueMap,
  valuesOption,
  valuesTable,
} from '@/charts/feasibility';
import { useTokens } from '@/charts/tokens';
import { Badge } from '@/components/Badge';
import { Card } from '@/components/Card';
import { ExperimentLinks } from '@/components/experiment/ExperimentLinks';
import { FailureBadge } from '@/components/experiment/parts';
import { useIsPhone } from '@/components/experiment/useIsPhone';
import { Select } from '@/components/Select';
import { setting } from '@/lib/format';
import type { Results } from './useResults';
import { WithInsight } from './WithInsight';

/** Most numbers that are listed of one rule. */
const MOST = 12;

type Rule = Schemas['RuleView'];
type Feasibility = Schemas['InsightView']['feasibility'];

export function FeasibilityCards({ results }: { results: Results }) {
  const { t } = useTranslation();
  return (
    <WithInsight results={results} title={t('results.works.title')}>
      {({ feasibility }) => <Cards results={results} feasibility={feasibility} />}
    </WithInsight>
  );
}

function Cards({ results, feasibility }: { results: Results; feasibility: Feasibility }) {
  const { t } = useTranslation();
  const { all, parameters, pairs, rules } = feasibility;
  if (all.n === all.good) return null;
  return (
    <>
      <div className={pairs.length > 0 ? 'grid items-start gap-4 xl:grid-cols-2' : 'grid gap-4'}>
        <Card
          title={t('results.rules.title')}
          actions={
            <span className="text-muted text-xs">{t('results.works.of', { good: all.good, n: all.n })}</span>
          }
        >
          {rules.length === 0 ? (
            <p className="text-muted">{t('results.rules.none')}</p>
          ) : (
            <ul className="divide-y divide-line/70">
              {rules.map((rule) => (
                <RuleRow key={rule.text} rule={rule} results={results} />
              ))}
            </ul>
          )}
        </Card>
        {pairs.length > 0 && <PairCard pairs={pairs} />}
      </div>
      {parameters.length > 0 && <ValuesCard maps={parameters} />}
    </>
  );
}

function RuleRow({ rule, results }: { rule: Rule; results: Results }) {
  const { t } = useTranslation();
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2 first:pt-0 last:pb-0">
      {rule.outcome === 'missed_slo' ? (
        <Badge tone="warn">{t('results.point.infeasible')}</Badge>
      ) : (
        <FailureBadge kind={rule.outcome} />
      )}
      <span className="min-w-0 font-mono text-xs break-words">
        {rule.conditions
          .map(({ name, relation, value }) => `${name}${relation}${setting(value)}`)
          .join(t('results.rules.with'))}
      </span>
      <span className="num text-sm">
        {t('results.rules.share', { n: rule.n, of: rule.of })}
        {rule.elsewhere > 0 && (
          <span className="text-muted">
            {t('results.rules.elsewhere', { n: rule.n_elsewhere, of: rule.elsewhere })}
          </span>
        )}
      </span>
      <ExperimentLinks taskId={results.task.id} run={results.run} numbers={rule.experiment_ids} most={MOST} />
      {rule.alternatives > 0 && (
        <span className="w-full text-muted text-xs">
          {t('results.rules.alternatives', { count: rule.alternatives })}
        </span>
      )}
    </li>
  );
}

const titleOf = (pair: PairMap) => `${pair.first} × ${pair.second}`;

function PairCard({ pairs }: { pairs: readonly PairMap[] }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const isNarrow = useIsPhone();
  const [chosen, setChosen] = useState<string>();
  const pair = pairs.find((each) => titleOf(each) === chosen) ?? (pairs[0] as PairMap);
  const option = useMemo(() => pairOption(pair, { tokens, t, isNarrow }), [pair, tokens, t, isNarrow]);
  return (
    <Card
      title={t('results.works.map')}
      actions={
        <Select
          label={t('results.works.pair')}
          value={titleOf(pair)}
          onChange={setChosen}
          options={pairs.map((each) => ({ value: titleOf(each), label: titleOf(each) }))}
          className="max-w-full font-mono text-xs"
        />
      }
    >
      <p className="mb-1 flex flex-wrap items-center gap-x-3 font-mono text-muted text-xs">
        <span className="inline-flex items-center gap-1">
          <MoveRight aria-hidden className="size-3.5" />
          {pair.first}
        </span>
        <span className="inline-flex items-center gap-1">
          <MoveDown aria-hidden className="size-3.5" />
          {pair.second}
        </span>
      </p>
      <Chart
        option={option}
        label={t('results.works.mapLabel', { first: pair.first, second: pair.second })}
        height={Math.max(150, pair.second_values.length * 36 + 64)}
        table={pairTable(pair, t)}
      />
      <p className="mt-2 text-muted text-xs">{t('results.works.mapLegend')}</p>
    </Card>
  );
}

function ValuesCard({ maps }: { maps: readonly ValueMap[] }) {
  const { t } = useTranslation();
  return (
    <Card title={t('results.works.byValue')}>
      <div className="grid gap-x-6 gap-y-4 sm:grid-cols-2 xl:grid-cols-4">
        {maps.map((map) => (
          <ValuesChart key={map.name} map={map} />
        ))}
      </div>
      <p className="mt-3 text-muted text-xs">{t('results.works.legend')}</p>
    </Card>
  );
}

function ValuesChart({ map }: { map: ValueMap }) {
  const { t } = useTranslation();
  const tokens = useTokens();
  const option = useMemo(() => valuesOption(map, { tokens, t }), [map, tokens, t]);
  return (
    <div className="min-w-0">
      <h3 className="mb-1 truncate font-mono text-xs">{map.name}</h3>
      <Chart
        option={option}
        label={t('results.works.valuesLabel', { name: map.name })}
        height={map.values.length * 24 + 26}
        table={valuesTable(map, t)}
      />
    </div>
  );
}
