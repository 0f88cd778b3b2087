/** What is fixed for the engine, what one experiment may use, and what only a cluster knows. */
import { Wrench } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { NumberAt, TextAt } from '@/components/form/inputs';
import { KeyValues } from '@/components/form/KeyValues';
import { RawAt } from '@/components/form/RawJson';
import { Section } from '@/components/form/Section';
import { isMark } from '@/components/form/secrets';
import { useAt } from '@/components/form/store';
import { TextRows } from '@/components/form/TextRows';
import type { Source } from '../source';

const STORAGE = ['storage'] as const;
const BASE_MODEL = ['clusterbasemodel_config'] as const;
const RUNTIME = ['clusterservingruntime_config'] as const;
const MODE = ['deployment_mode'] as const;

export function AdvancedSection({ mode }: { mode: Source['mode'] }) {
  const { t } = useTranslation();
  const deployment = useAt(MODE);
  const isCluster = deployment === 'kubernetes' || deployment === 'ome';
  const has = [useAt(STORAGE), useAt(BASE_MODEL), useAt(RUNTIME)].map((value) => value !== undefined);
  return (
    <Section name="advanced" icon={Wrench}>
      <div className="grid gap-5">
        <div className="grid gap-x-4 gap-y-4 sm:grid-cols-2">
          <TextAt path={['engine', 'program']} isMono placeholder={t('form.usual')} />
          <TextAt path={['engine', 'image']} isMono placeholder={t('form.usual')} />
          <TextAt path={['engine', 'ready_path']} isMono placeholder={t('form.usual')} />
          <NumberAt path={['engine', 'start_timeout']} unit="s" placeholder={t('form.usual')} />
        </div>
        <TextRows
          path={['engine', 'args']}
          label={t('form.field.args')}
          help={t('form.help.args')}
          placeholder="--trust-remote-code"
          itemLabel={(number) => t('form.argument.row', { number })}
          addLabel={t('form.argument.add')}
        />
        <KeyValues
          path={['engine', 'env']}
          label={t('form.field.env')}
          help={t('form.help.env')}
          addLabel={t('form.addVariable')}
          namePlaceholder="HF_HOME"
          isText
          note={(_, value) => (mode === 'edit' && isMark(value) ? t('form.secret.kept') : undefined)}
        />
        <div className="grid gap-x-4 gap-y-4 sm:grid-cols-3">
          <NumberAt path={['resources', 'gpus']} placeholder={t('form.byParallel')} />
          <NumberAt path={['resources', 'cpus']} placeholder={t('form.noLimit')} />
          <NumberAt path={['resources', 'memory']} placeholder={t('form.noLimit')} />
        </div>
        {isCluster || has.some(Boolean) ? (
          <>
            {(isCluster || has[0]) && (
              <RawAt path={STORAGE} label={t('form.field.storage')} help={t('form.help.storage')} />
            )}
            {(isCluster || has[1]) && (
              <RawAt path={BASE_MODEL} label={t('form.field.clusterbasemodel_config')} />
            )}
            {(isCluster || has[2]) && (
              <RawAt path={RUNTIME} label={t('form.field.clusterservingruntime_config')} />
            )}
          </>
        ) : null}
      </div>
    </Section>
  );
}
