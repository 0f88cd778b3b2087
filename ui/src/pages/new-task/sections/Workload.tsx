/** What the benchmark sends, and which bounds the answers have to keep. */
import { Gauge, Target } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Chips } from '@/components/form/Chips';
import { FormField } from '@/components/form/FormField';
import { asTyped, NumberAt, SelectAt, SwitchAt, TextAt } from '@/components/form/inputs';
import type { Json } from '@/components/form/json';
import { KeyValues } from '@/components/form/KeyValues';
import { LevelWeights } from '@/components/form/LevelWeights';
import { indexBelow } from '@/components/form/paths';
import { ScenarioEditor } from '@/components/form/ScenarioEditor';
import { Section } from '@/components/form/Section';
import { SloEditor } from '@/components/form/SloEditor';
import { useAt, useDocumentStore } from '@/components/form/store';

const MODEL = ['model', 'id_or_path'] as const;
const CONCURRENCY = ['benchmark', 'num_concurrency'] as const;
const ARRIVAL = ['benchmark', 'arrival'] as const;
const KIND = ['benchmark', 'arrival', 'type'] as const;
const DATASET = ['benchmark', 'dataset_url'] as const;
const TASK = ['benchmark', 'task'] as const;

export function BenchmarkSection() {
  const { t } = useTranslation();
  const model = asTyped(useAt(MODEL));
  const dataset = useAt(DATASET);
  const traffic = useAt(TASK);
  const follows = model === '' ? t('form.followsModel') : model;
  return (
    <Section name="benchmark" icon={Gauge}>
      <div className="grid gap-5">
        <ScenarioEditor />
        <Concurrency />
        <div className="grid gap-x-4 gap-y-4 sm:grid-cols-2 xl:grid-cols-3">
          <NumberAt path={['benchmark', 'max_time_per_iteration']} unit="s" placeholder="30" />
          <NumberAt path={['benchmark', 'max_requests_per_iteration']} placeholder="50" />
          <NumberAt path={['benchmark', 'warmup_requests']} placeholder="2" />
          <NumberAt path={['benchmark', 'drain_seconds']} unit="s" placeholder="30" />
          <NumberAt path={['benchmark', 'request_timeout_seconds']} unit="s" placeholder="60" />
          <SelectAt
            path={['benchmark', 'endpoint']}
            absent="chat"
            options={[
              { value: 'chat', label: 'chat', hint: '/v1/chat/completions' },
              { value: 'completions', label: 'completions', hint: '/v1/completions' },
            ]}
          />
        </div>
        <div className="grid gap-x-4 gap-y-4 sm:grid-cols-2">
          <TextAt path={['benchmark', 'model_name']} isMono placeholder={follows} />
          <TextAt path={['benchmark', 'model_tokenizer']} isMono placeholder={follows} />
          {traffic !== undefined && (
            <SelectAt
              path={TASK}
              name="traffic"
              absent="text-to-text"
              options={[{ value: 'text-to-text', label: 'text-to-text' }]}
            />
          )}
        </div>
        <Arrival />
        <LevelWeights />
        <KeyValues
          path={['benchmark', 'additional_params']}
          label={t('form.field.additional_params')}
          help={t('form.help.additional_params')}
          addLabel={t('form.addKey')}
          namePlaceholder="temperature"
        />
        <div className="grid items-start gap-x-4 gap-y-3 sm:grid-cols-2">
          <TextAt path={DATASET} isMono placeholder="https://…" />
          {dataset !== undefined && (
            <SwitchAt path={['benchmark', 'dataset_deduplicate']} whenAbsent className="sm:pt-7" />
          )}
        </div>
      </div>
    </Section>
  );
}

function Concurrency() {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const value = useAt(CONCURRENCY);
  const values: Json[] = Array.isArray(value) ? value : [];
  return (
    <FormField
      path={CONCURRENCY}
      label={t('form.field.num_concurrency')}
      help={t('form.help.num_concurrency')}
    >
      {(tie, told) => (
        <Chips
          {...tie}
          label={t('form.field.num_concurrency')}
          placeholder="1"
          values={values}
          wrong={
            new Set(
              told
                .map(({ path }) => indexBelow(path, 'benchmark.num_concurrency'))
                .filter((index) => index !== undefined),
            )
          }
          onChange={(next) => store.setOrRemove(CONCURRENCY, next.length === 0 ? undefined : next)}
        />
      )}
    </FormField>
  );
}

function Arrival() {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const arrival = useAt(ARRIVAL);
  const kind = useAt(KIND);
  return (
    <div className="grid gap-x-4 gap-y-4 sm:grid-cols-2 xl:grid-cols-3">
      <SelectAt
        path={KIND}
        name="arrival"
        absent={t('form.arrival.closed')}
        options={['closed', 'constant', 'poisson', 'gamma', 'trace'].map((value) => ({
          value,
          label: t(`form.arrival.${value}`),
          hint: t(`form.arrivalHint.${value}`),
        }))}
        onWord={(word) => {
          if (word === '') store.remove(ARRIVAL);
          else store.set(KIND, word);
        }}
      />
      {arrival !== undefined && kind !== 'closed' && kind !== 'trace' && (
        <NumberAt path={['benchmark', 'arrival', 'rate']} unit="req/s" />
      )}
      {kind === 'gamma' && <NumberAt path={['benchmark', 'arrival', 'burstiness']} placeholder="1" />}
      {kind === 'trace' && <TextAt path={['benchmark', 'arrival', 'trace']} isMono />}
    </div>
  );
}

const SLO = ['slo'] as const;
const SLO_MODE = ['slo', 'mode'] as const;

export function SloSection() {
  const { t } = useTranslation();
  const slo = useAt(SLO);
  const hasPenalty = useAt(SLO_MODE) === 'exponential-v1';
  return (
    <Section name="slo" icon={Target}>
      <div className="grid gap-4">
        <SloEditor hasPenalty={hasPenalty} />
        {slo !== undefined && (
          <div className="grid gap-x-4 gap-y-4 sm:grid-cols-2">
            <SelectAt
              path={SLO_MODE}
              name="slo_mode"
              absent={t('form.sloMode.constraint')}
              options={['constraint', 'exponential-v1'].map((value) => ({
                value,
                label: t(`form.sloMode.${value}`),
                hint: t(`form.sloModeHint.${value}`),
              }))}
            />
            <SteepnessAt isShown={hasPenalty} />
          </div>
        )}
      </div>
    </Section>
  );
}

const STEEPNESS = ['slo', 'steepness'] as const;

function SteepnessAt({ isShown }: { isShown: boolean }) {
  const value = useAt(STEEPNESS);
  return isShown || value !== undefined ? <NumberAt path={STEEPNESS} placeholder="0.1" /> : null;
}
