/** What the benchmark sends, and which bounds the answers have to keep. */
import { Gauge, Target } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { arrivalKind, stagedSeconds } from '@/components/form/arrival';
import { asTyped, NumberAt, SelectAt, SwitchAt, TextAt } from '@/components/form/inputs';
import { at } from '@/components/form/json';
import { KeyValues } from '@/components/form/KeyValues';
import { LevelWeights } from '@/components/form/LevelWeights';
import { LoadEditor } from '@/components/form/LoadEditor';
import { More } from '@/components/form/More';
import { NumberChips } from '@/components/form/NumberChips';
import { Optional } from '@/components/form/Optional';
import { ScenarioEditor } from '@/components/form/ScenarioEditor';
import { Section } from '@/components/form/Section';
import { SloEditor } from '@/components/form/SloEditor';
import { usualEndpoint } from '@/components/form/scenario';
import { useAt } from '@/components/form/store';

const MODEL = ['model', 'id_or_path'] as const;
const BENCHMARK = ['benchmark'] as const;
const ARRIVAL = ['benchmark', 'arrival'] as const;
const DATASET = ['benchmark', 'dataset_url'] as const;
const SHARING = ['benchmark', 'prefix_sharing'] as const;
const CONVERSATION = ['benchmark', 'conversation'] as const;

/** Keys below the headings that open, with the names of their fields. */
const CONTENT = ['dataset_url', 'prefix_sharing', 'conversation'] as const;
const DETAILS = [
  'warmup_requests',
  'precision',
  'first_wave',
  'drain_seconds',
  'request_timeout_seconds',
  'endpoint',
  'task',
  'batch_size',
  'model_name',
  'model_tokenizer',
  'level_weights',
  'additional_params',
] as const;

function useNames(keys: readonly string[]): Record<string, string> {
  const { t } = useTranslation();
  return Object.fromEntries(keys.map((key) => [key, t(`form.field.${key}`)]));
}

export function BenchmarkSection() {
  const { t } = useTranslation();
  const names = useNames([...CONTENT, ...DETAILS]);
  const kind = arrivalKind(useAt(ARRIVAL));
  const pick = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, names[key] ?? key]));
  // By a clock, the concurrency is a limit among others.
  const limit: Record<string, string> =
    kind === 'closed' ? {} : { num_concurrency: t('form.field.most_in_flight') };
  return (
    <Section name="benchmark" icon={Gauge}>
      <div className="grid gap-5">
        <ScenarioEditor />
        <LoadEditor />
        <Limits />
        <More
          title={t('form.more.content')}
          about={t('form.more.contentUsual')}
          part={BENCHMARK}
          fields={pick(CONTENT)}
        >
          <Content />
        </More>
        <More
          title={t('form.more.details')}
          about={t('form.more.detailsUsual')}
          part={BENCHMARK}
          fields={{ ...pick(DETAILS), ...limit }}
        >
          <Details />
        </More>
      </div>
    </Section>
  );
}

/** When a level ends. What is usual depends on how requests start. */
function Limits() {
  const { t } = useTranslation();
  const arrival = useAt(ARRIVAL);
  const kind = arrivalKind(arrival);
  const staged = kind === 'stages' ? stagedSeconds(at(arrival, ['stages'])) : undefined;
  return (
    <div className="grid items-start gap-x-4 gap-y-4 sm:grid-cols-2">
      <NumberAt
        path={['benchmark', 'max_time_per_iteration']}
        unit="s"
        placeholder={String(staged ?? 30)}
        help={kind === 'stages' ? t('form.help.staged_time') : undefined}
      />
      <NumberAt
        path={['benchmark', 'max_requests_per_iteration']}
        placeholder={kind === 'closed' ? '50' : t('form.enough')}
      />
    </div>
  );
}

/** What prompts are made of. */
function Content() {
  const isNamed = useAt(DATASET) !== undefined;
  return (
    <>
      <div className="grid items-start gap-x-4 gap-y-3 sm:grid-cols-2">
        <TextAt path={DATASET} isMono placeholder="https://…" />
        {isNamed && <SwitchAt path={['benchmark', 'dataset_deduplicate']} whenAbsent className="sm:pt-7" />}
        <NumberAt path={['benchmark', 'salt']} />
      </div>
      <Optional path={SHARING} first={{ prefix_tokens: 256 }}>
        <NumberAt path={[...SHARING, 'prefix_tokens']} unit="tok" />
        <NumberAt path={[...SHARING, 'groups']} placeholder="1" />
        <NumberAt path={[...SHARING, 'hit_ratio']} placeholder="1" />
      </Optional>
      <Optional path={CONVERSATION} first={{ turns: 4 }}>
        <NumberAt path={[...CONVERSATION, 'turns']} />
        <NumberAt path={[...CONVERSATION, 'think_seconds']} unit="s" placeholder="0" />
      </Optional>
    </>
  );
}

/** Warm-up, patience, and which API is asked. */
function Details() {
  const { t } = useTranslation();
  const model = asTyped(useAt(MODEL));
  const benchmark = useAt(BENCHMARK);
  const follows = model === '' ? t('form.followsModel') : model;
  const isClosed = arrivalKind(at(benchmark, ['arrival'])) === 'closed';
  const scenarios = at(benchmark, ['traffic_scenarios']);
  const of = {
    task: at(benchmark, ['task']),
    scenarios: Array.isArray(scenarios) ? scenarios : [],
  };
  const api = usualEndpoint({ ...of, endpoint: at(benchmark, ['endpoint']) });
  const hasBatches = ['embeddings', 'rerank'].includes(api) || at(benchmark, ['batch_size']) !== undefined;
  return (
    <>
      <div className="grid items-start gap-x-4 gap-y-4 sm:grid-cols-2 xl:grid-cols-3">
        <NumberAt path={['benchmark', 'warmup_requests']} placeholder="2" />
        <NumberAt path={['benchmark', 'precision']} placeholder={t('form.runsToItsEnd')} />
        {isClosed && (
          <SelectAt
            path={['benchmark', 'first_wave']}
            absent={t('form.firstWave.spread')}
            options={['spread', 'together'].map((value) => ({
              value,
              label: t(`form.firstWave.${value}`),
              hint: t(`form.firstWaveHint.${value}`),
            }))}
          />
        )}
        {!isClosed && (
          <NumberChips path={['benchmark', 'num_concurrency']} name="most_in_flight" placeholder="256" />
        )}
        <NumberAt path={['benchmark', 'drain_seconds']} unit="s" placeholder="30" />
        <NumberAt path={['benchmark', 'request_timeout_seconds']} unit="s" placeholder="60" />
        <SelectAt
          path={['benchmark', 'endpoint']}
          absent={usualEndpoint(of)}
          options={Object.entries(ENDPOINTS).map(([value, hint]) => ({ value, label: value, hint }))}
        />
        <SelectAt
          path={['benchmark', 'task']}
          absent={t('form.byEndpoint')}
          options={TRAFFIC.map((value) => ({ value, label: value, hint: t(`form.traffic.${value}`) }))}
        />
        {hasBatches && <NumberAt path={['benchmark', 'batch_size']} placeholder="1" />}
        <TextAt path={['benchmark', 'model_name']} isMono placeholder={follows} />
        <TextAt path={['benchmark', 'model_tokenizer']} isMono placeholder={follows} />
      </div>
      <LevelWeights />
      <KeyValues
        path={['benchmark', 'additional_params']}
        label={t('form.field.additional_params')}
        help={t('form.help.additional_params')}
        addLabel={t('form.addKey')}
        namePlaceholder="temperature"
      />
    </>
  );
}

const ENDPOINTS = {
  chat: '/v1/chat/completions',
  completions: '/v1/completions',
  llamacpp: '/completion',
  tgi: '/generate_stream',
  embeddings: '/v1/embeddings',
  rerank: '/v1/rerank',
};

const TRAFFIC = ['text-to-text', 'image-text-to-text', 'text-to-embeddings', 'text-to-rerank'];

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
