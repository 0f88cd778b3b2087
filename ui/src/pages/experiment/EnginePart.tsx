/** What was really started: the command, its variables, the image, the container, the GPUs. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { Card } from '@/components/Card';
import { CodeBlock, CopyButton } from '@/components/Copy';
import { asObject } from '@/components/experiment/free';
import { GpuTable } from '@/components/experiment/GpuTable';
import { Time } from '@/components/Time';
import { bytes, duration } from '@/lib/format';
import { href } from '@/lib/navigate';

/** A word as a shell needs it. */
export function quoted(word: string): string {
  return /^[\w\-./:=,@%+]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function EnginePart({ experiment }: { experiment: Experiment }) {
  const { t } = useTranslation();
  const { gpu_monitoring } = experiment;
  const words = experiment.effective_arguments ?? [];
  const variables = Object.entries(experiment.environment ?? {});
  return (
    <div className="space-y-4">
      <Card title={t('experiments.page.command')}>
        {words.length > 0 ? (
          <CodeBlock text={words.map(quoted).join(' ')} />
        ) : (
          <p className="text-muted">–</p>
        )}
        <h3 className="mt-4 mb-1 font-medium text-muted text-xs">{t('experiments.page.environment')}</h3>
        {variables.length === 0 ? (
          <p className="text-muted text-xs">{t('experiments.page.noEnvironment')}</p>
        ) : (
          <dl className="font-mono text-xs">
            {variables.map(([name, value]) => (
              <div
                key={name}
                className="flex justify-between gap-4 border-line/60 border-b py-1 last:border-0"
              >
                <dt className="text-muted break-all">{name}</dt>
                <dd className="text-right break-all">{value}</dd>
              </div>
            ))}
          </dl>
        )}
      </Card>
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Facts experiment={experiment} />
        <Containers experiment={experiment} />
      </div>
      {gpu_monitoring ? <GpuTable monitoring={gpu_monitoring} /> : null}
    </div>
  );
}

function Fact({
  name,
  children,
  copy,
}: {
  name: string;
  children: ReactNode;
  copy?: string | null | undefined;
}) {
  return (
    <div className="flex items-center justify-between gap-4 border-line/60 border-b py-1 last:border-0">
      <dt className="shrink-0 text-muted">{name}</dt>
      <dd className="flex min-w-0 items-center gap-1 text-right break-all">
        {children}
        {copy && <CopyButton text={copy} />}
      </dd>
    </div>
  );
}

function Facts({ experiment }: { experiment: Experiment }) {
  const { t } = useTranslation();
  const gpus = experiment.gpus.map(asObject);
  return (
    <Card title={t('experiments.page.facts')}>
      <dl className="text-xs leading-6">
        <Fact name={t('experiments.page.version')}>{experiment.engine_version ?? '–'}</Fact>
        <Fact name={t('experiments.page.image')} copy={experiment.image}>
          {experiment.image ?? '–'}
        </Fact>
        {experiment.image_id && (
          <Fact name={t('experiments.page.imageId')} copy={experiment.image_id}>
            <span className="font-mono">{experiment.image_id.replace('sha256:', '').slice(0, 12)}</span>
          </Fact>
        )}
        {experiment.image_digest && (
          <Fact name={t('experiments.page.digest')} copy={experiment.image_digest}>
            <span className="font-mono">{experiment.image_digest}</span>
          </Fact>
        )}
        <Fact name={t('experiments.page.gpus')}>
          {gpus.length === 0
            ? t('experiments.page.noGpus')
            : gpus
                .map((gpu) => {
                  const memory = typeof gpu.memory_bytes === 'number' ? `, ${bytes(gpu.memory_bytes)}` : '';
                  return `${String(gpu.index ?? '?')}: ${String(gpu.name ?? '')}${memory}`;
                })
                .join('; ')}
        </Fact>
        <Fact name={t('experiments.page.readyAfter')}>{duration(experiment.ready_after)}</Fact>
        {experiment.service_url && <Fact name={t('experiments.page.service')}>{experiment.service_url}</Fact>}
        {experiment.engine_fingerprints.length > 0 && (
          <Fact name={t('experiments.page.fingerprints')}>
            <span className="font-mono">{experiment.engine_fingerprints.join(', ')}</span>
          </Fact>
        )}
        <Fact name={t('experiments.page.id')}>{experiment.id}</Fact>
      </dl>
    </Card>
  );
}

function Containers({ experiment }: { experiment: Experiment }) {
  const { t } = useTranslation();
  const known = experiment.containers ?? [];
  const containers =
    known.length > 0
      ? known
      : experiment.container_id
        ? [
            {
              id: experiment.container_id,
              name: experiment.container_name ?? experiment.container_id,
              attempt: experiment.attempt,
              started_at: experiment.started_at ?? experiment.created_at,
              ended_at: experiment.completed_at,
            },
          ]
        : [];
  if (containers.length === 0) return null;
  return (
    <Card title={t('experiments.page.containers')}>
      <ul className="space-y-2 text-xs">
        {containers.map((container) => (
          <li key={container.id} className="flex flex-wrap items-center justify-between gap-x-4">
            <a
              href={href.container(container.id)}
              className="font-mono text-accent break-all hover:underline"
            >
              {container.name}
            </a>
            <span className="text-muted">
              {t('experiments.page.attempt', { attempt: container.attempt })} ·{' '}
              <Time at={container.started_at} />
            </span>
          </li>
        ))}
      </ul>
      <p className="mt-3 text-muted text-xs">{t('experiments.page.containerGone')}</p>
    </Card>
  );
}
