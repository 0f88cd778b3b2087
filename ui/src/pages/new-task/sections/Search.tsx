/** How the best configuration is looked for: number types, parallel sizes, strategy and objective. */
import { Binary, Network, Radar } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { FurtherObjectives } from '@/components/form/FurtherObjectives';
import { NumberAt, SelectAt, SwitchAt } from '@/components/form/inputs';
import { Section } from '@/components/form/Section';
import { useAt } from '@/components/form/store';
import { WordsEditor } from '@/components/form/WordsEditor';
import { PARALLEL_PRESETS, PARALLEL_SIZES, QUANT_PRESETS, QUANT_WORDS } from '@/components/form/words';

export function QuantSection() {
  return (
    <Section name="quant_config" icon={Binary}>
      <WordsEditor
        part="quant_config"
        presets={QUANT_PRESETS}
        words={QUANT_WORDS}
        first={{ kvcache_dtype: ['auto', 'fp8'] }}
      />
    </Section>
  );
}

export function ParallelSection() {
  return (
    <Section name="parallel_config" icon={Network}>
      <WordsEditor
        part="parallel_config"
        presets={PARALLEL_PRESETS}
        words={PARALLEL_SIZES}
        first={{ tp: [1, 2] }}
      />
    </Section>
  );
}

const OBJECTIVES = ['minimize_latency', 'maximize_throughput', 'minimize_ttft', 'minimize_tpot'];
const STRATEGIES = ['grid_search', 'random_search', 'sobol', 'tpe', 'bayesian'];
/** Those that a model decides once some configurations were measured. */
const MODELS: unknown[] = ['tpe', 'bayesian'];
const STRATEGY = ['optimization', 'strategy'] as const;
const OBJECTIVE = ['optimization', 'objective'] as const;
const PARETO = ['optimization', 'pareto'] as const;
const WARM = ['optimization', 'warm_start'] as const;
const INITIAL = ['optimization', 'n_initial_random'] as const;

export function OptimizationSection() {
  const { t } = useTranslation();
  const strategy = useAt(STRATEGY);
  const warm = useAt(WARM);
  const pareto = useAt(PARETO);
  const objective = useAt(OBJECTIVE);
  return (
    <Section name="optimization" icon={Radar}>
      <div className="grid gap-x-4 gap-y-4 sm:grid-cols-2">
        <SelectAt
          path={OBJECTIVE}
          absent={t('objectives.minimize_latency')}
          options={OBJECTIVES.map((value) => ({
            value,
            label: t(`objectives.${value}`),
            hint: t(`form.objectiveHint.${value}`),
          }))}
        />
        {(strategy === 'bayesian' || pareto !== undefined) && (
          <FurtherObjectives
            path={PARETO}
            objectives={OBJECTIVES}
            first={typeof objective === 'string' ? objective : 'minimize_latency'}
          />
        )}
        <SelectAt
          path={STRATEGY}
          absent={t('form.strategy.grid_search')}
          options={STRATEGIES.map((value) => ({
            value,
            label: t(`form.strategy.${value}`),
            hint: t(`form.strategyHint.${value}`),
          }))}
        />
        <NumberAt
          path={['optimization', 'max_iterations']}
          placeholder={strategy === undefined || strategy === 'grid_search' ? t('form.wholeGrid') : '100'}
        />
        <NumberAt path={['optimization', 'max_replicates']} placeholder={t('form.byIterations')} />
        <NumberAt path={['optimization', 'timeout_per_iteration']} unit="s" placeholder="1800" />
        <NumberAt path={['optimization', 'max_parallel_experiments']} placeholder="1" />
        <NumberAt path={['optimization', 'seed']} placeholder="0" />
        {MODELS.includes(strategy) && (
          <NumberAt path={INITIAL} placeholder={strategy === 'bayesian' ? t('form.byParameters') : '5'} />
        )}
        {!MODELS.includes(strategy) && <KeptInitial />}
        <SwitchAt path={['optimization', 'early_abort']} whenAbsent={false} />
        {(strategy === 'bayesian' || warm !== undefined) && <SwitchAt path={WARM} whenAbsent={false} />}
      </div>
    </Section>
  );
}

function KeptInitial() {
  const value = useAt(INITIAL);
  return value === undefined ? null : <NumberAt path={INITIAL} placeholder="5" />;
}
