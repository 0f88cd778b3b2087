/** What the task is called, which engine it tunes, and what the engine serves. */
import { useQuery } from '@tanstack/react-query';
import { Cpu, FileText, Package } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { systemInfo } from '@/api/queries/system';
import { withModel } from '@/components/form/follow';
import { asTyped, SelectAt, TextAt } from '@/components/form/inputs';
import { RawAt } from '@/components/form/RawJson';
import { Section } from '@/components/form/Section';
import { useAt, useDocumentStore } from '@/components/form/store';

export function BasicSection() {
  return (
    <Section name="basic" icon={FileText}>
      <div className="grid gap-4">
        <TextAt path={['task_name']} isRequired />
        <TextAt path={['description']} isLong />
      </div>
    </Section>
  );
}

const ENGINES = ['vllm', 'sglang', 'tensorrt-llm', 'llamacpp', 'sim', 'custom'];
const MODE = ['deployment_mode'] as const;
const RUNTIME = ['base_runtime'] as const;

export function EngineSection() {
  const { t } = useTranslation();
  const { data: info } = useQuery(systemInfo);
  const mode = useAt(MODE);
  const runtime = asTyped(useAt(RUNTIME));
  const isDocker = mode === undefined || mode === null || mode === 'docker';
  return (
    <Section name="engine" icon={Cpu}>
      <div className="grid gap-x-4 gap-y-4 sm:grid-cols-2">
        <SelectAt
          path={RUNTIME}
          isRequired
          options={(info?.available_runtimes ?? ENGINES).map((value) => ({
            value,
            label: t(`form.runtime.${value}`, { defaultValue: value }),
          }))}
        />
        <SelectAt
          path={MODE}
          absent="Docker"
          options={['docker', 'local', 'kubernetes'].map((value) => ({
            value,
            label: t(`form.mode.${value}`),
            hint: t(`form.modeHint.${value}`),
          }))}
        />
        {isDocker && (
          <>
            <TextAt path={['runtime_image_tag']} isMono placeholder={t('form.usual')} />
            <TextAt path={['runtime_image']} isMono placeholder={t('form.usual')} />
          </>
        )}
        {!isDocker && <HiddenImages />}
        {runtime === 'custom' && <p className="text-muted text-xs sm:col-span-2">{t('form.customEngine')}</p>}
      </div>
    </Section>
  );
}

const TAG = ['runtime_image_tag'] as const;
const IMAGE = ['runtime_image'] as const;

/** Images that a document names although its engine runs without one stay where they can be seen. */
function HiddenImages() {
  const hasTag = useAt(TAG) !== undefined;
  const hasImage = useAt(IMAGE) !== undefined;
  return (
    <>
      {hasTag && <TextAt path={TAG} isMono />}
      {hasImage && <TextAt path={IMAGE} isMono />}
    </>
  );
}

const CHECKPOINT = ['model', 'quantization_config'] as const;

export function ModelSection() {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const mode = useAt(MODE);
  const record = useAt(CHECKPOINT);
  return (
    <Section name="model" icon={Package}>
      <div className="grid gap-x-4 gap-y-4 sm:grid-cols-2">
        <TextAt
          path={['model', 'id_or_path']}
          isRequired
          isMono
          placeholder="Qwen/Qwen2.5-7B-Instruct"
          className="sm:col-span-2"
          onText={(text) => store.replace(withModel(store.get(), text))}
        />
        <TextAt path={['model', 'quantization']} isMono placeholder={t('form.byName')} />
        <TextAt
          path={['model', 'namespace']}
          isMono
          placeholder="autotuner"
          help={mode === 'kubernetes' || mode === 'ome' ? undefined : t('form.help.namespaceElsewhere')}
        />
        {record !== undefined && (
          <div className="sm:col-span-2">
            <RawAt path={CHECKPOINT} label={t('form.field.quantization_config')} />
          </div>
        )}
      </div>
    </Section>
  );
}
