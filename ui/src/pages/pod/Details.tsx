/** What is known of a pod, its containers, and what holds of it. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { PodWhole } from '@/api/queries/pods';
import { Badge } from '@/components/Badge';
import type { Tone } from '@/components/Button';
import { Card } from '@/components/Card';
import { CopyButton } from '@/components/Copy';
import { Asked, PodOwner } from '@/components/pod/facts';
import { PodState } from '@/components/pod/PodState';
import { Time } from '@/components/Time';

export function Details({ pod }: { pod: PodWhole }) {
  const { t } = useTranslation();
  const { exit_code, out_of_memory } = pod;
  return (
    <div className="grid items-start gap-3 xl:grid-cols-2">
      <Card title={t('pods.about')}>
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] items-baseline gap-x-6 gap-y-2 text-sm">
          <Fact label={t('pods.stateColumn')}>
            <span className="flex flex-wrap items-center gap-2">
              <PodState pod={pod} />
              <span className="text-muted">{pod.phase}</span>
            </span>
          </Fact>
          {pod.why && (
            <Fact label={t('pods.why')}>
              <span className="break-words">{pod.why}</span>
            </Fact>
          )}
          {typeof exit_code === 'number' && (
            <Fact label={t('containers.exitCode')}>
              <span className={exit_code === 0 ? 'num' : 'num text-bad'}>{exit_code}</span>
              {out_of_memory && (
                <Badge tone="bad" className="ml-2">
                  {t('containers.outOfMemory')}
                </Badge>
              )}
            </Fact>
          )}
          <Fact label={t('pods.experiment')}>
            <PodOwner pod={pod} />{' '}
            <span className="num text-muted text-xs">
              {t('containers.attempt', { attempt: pod.attempt })}
            </span>
          </Fact>
          <Fact label={t('pods.need')}>{t(pod.is_needed ? 'pods.needed' : 'pods.notNeeded')}</Fact>
          <Fact label={t('pods.node')}>{pod.node ?? '–'}</Fact>
          <Fact label={t('pods.namespace')}>{pod.namespace}</Fact>
          <Fact label={t('pods.job')}>
            <span className="font-mono text-xs break-all">{pod.job ?? '–'}</span>
          </Fact>
          <Fact label={t('pods.asksFor')}>
            <Asked pod={pod} />
          </Fact>
          <Fact label={t('containers.image')}>
            <span className="break-all">{pod.image}</span>
          </Fact>
          <Fact label={t('containers.restarts')}>
            <span className="num">{pod.restart_count}</span>
          </Fact>
          <Fact label={t('containers.id')}>
            <span className="flex items-center gap-1">
              <span className="min-w-0 truncate font-mono text-xs">{pod.uid}</span>
              <CopyButton text={pod.uid} label={t('containers.copyId')} />
            </span>
          </Fact>
          {(['created', 'started_at', 'finished_at'] as const).map((key) => (
            <Fact key={key} label={t(`containers.time.${key}`)}>
              <Time at={pod[key]} style="full" />
            </Fact>
          ))}
        </dl>
      </Card>
      <div className="min-w-0 space-y-3">
        <Card title={t('pods.containers')} padded={false}>
          <ul className="divide-y divide-line">
            {pod.containers.map((container) => (
              <li key={container.name} className="px-4 py-2.5">
                <p className="flex flex-wrap items-center gap-2">
                  <span className="font-medium">{container.name}</span>
                  <Badge tone={tone(container.state, container.exit_code)}>
                    {t(`pods.containerState.${container.state}`, { defaultValue: container.state })}
                    {typeof container.exit_code === 'number' && (
                      <span className="num">{container.exit_code}</span>
                    )}
                  </Badge>
                  {container.is_init && <span className="text-muted text-xs">{t('pods.first')}</span>}
                </p>
                <p className="text-muted text-xs break-all">{container.image}</p>
                {container.why && <p className="mt-1 text-xs break-words">{container.why}</p>}
              </li>
            ))}
          </ul>
        </Card>
        <Card title={t('pods.conditions')} padded={false}>
          {pod.conditions.length === 0 ? (
            <p className="p-4 text-muted">–</p>
          ) : (
            <ul className="divide-y divide-line">
              {pod.conditions.map(({ type, status, why, since }) => (
                <li key={type} className="flex flex-wrap items-baseline gap-x-3 px-4 py-2 text-sm">
                  <span className="font-medium">{type}</span>
                  <span className="text-muted">{status}</span>
                  <span className="ml-auto text-muted text-xs">
                    <Time at={since} />
                  </span>
                  {why && <span className="w-full text-muted text-xs break-words">{why}</span>}
                </li>
              ))}
            </ul>
          )}
        </Card>
      </div>
    </div>
  );
}

function tone(state: string, code: number | null | undefined): Tone {
  if (state === 'running') return 'good';
  if (state === 'waiting') return 'warn';
  return code === 0 ? 'neutral' : 'bad';
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{label}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}
