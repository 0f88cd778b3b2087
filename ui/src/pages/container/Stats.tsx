/** What a container uses, over the last five minutes and as it goes. */
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useContainerStats } from '@/api/container-stats';
import type { Container, ContainerStats } from '@/api/queries/containers';
import { type Line, TimeGraph } from '@/charts/TimeGraph';
import { Card } from '@/components/Card';
import { Failed, Skeleton } from '@/components/States';
import { bytes, number, percent } from '@/lib/format';
import { isAlive } from '../containers/filter';

type Value = number | null | undefined;

const rate = (value: Value) => (typeof value === 'number' ? `${bytes(value)}/s` : '–');
const cpu = (value: Value) => (typeof value === 'number' ? `${number(value, 3)}%` : '–');

export function Stats({ container }: { container: Container }) {
  const { t } = useTranslation();
  const { samples, error, hasEnded } = useContainerStats(container.id);
  const times = useMemo(() => samples.map(({ sampled_at }) => Date.parse(sampled_at) / 1000), [samples]);
  const of = (take: (sample: ContainerStats) => Value) => samples.map(take);
  const last = samples.at(-1);
  if (!last) {
    if (error) return <Failed error={error} className="card" />;
    return (
      <div role="status" aria-label={t('state.loading')} className="grid gap-3 xl:grid-cols-2">
        {[0, 1, 2, 3].map((index) => (
          <Skeleton key={index} className="h-52 w-full rounded-xl" />
        ))}
      </div>
    );
  }
  const memory: Line[] = [
    { name: t('containers.memory'), tone: 'accent', values: of((sample) => sample.memory_usage_bytes) },
  ];
  if (last.memory_is_limited)
    memory.push({
      name: t('containers.limit'),
      tone: 'bad',
      isBare: true,
      values: of((sample) => sample.memory_limit_bytes),
    });
  const hasNetwork = last.network_rx_bytes !== null && last.network_rx_bytes !== undefined;
  const gpus = last.gpus ?? [];
  return (
    <>
      {(hasEnded || !isAlive(container)) && (
        <p role="status" className="mb-3 rounded-lg bg-sunken px-4 py-2 text-muted text-sm">
          {t('containers.usesNothing')}
        </p>
      )}
      {error ? (
        <p role="alert" className="mb-3 rounded-lg bg-warn-soft px-4 py-2 text-sm text-warn">
          {error instanceof Error ? error.message : String(error)}
        </p>
      ) : null}
      <div className="grid gap-3 xl:grid-cols-2">
        <Card
          title={t('containers.cpu')}
          actions={<Note>{t('containers.processors', { count: last.online_cpus ?? 0 })}</Note>}
        >
          <TimeGraph
            label={t('containers.cpu')}
            times={times}
            format={cpu}
            least={5}
            lines={[{ name: t('containers.cpu'), tone: 'info', values: of((sample) => sample.cpu_percent) }]}
          />
        </Card>
        <Card
          title={t('containers.memory')}
          actions={
            <Note>
              {t(last.memory_is_limited ? 'containers.ofLimit' : 'containers.ofMachine', {
                share: percent((last.memory_percent ?? 0) / 100),
                limit: bytes(last.memory_limit_bytes),
              })}
            </Note>
          }
        >
          <TimeGraph
            label={t('containers.memory')}
            times={times}
            format={bytes}
            isBinary
            least={1024 * 1024}
            lines={memory}
          />
        </Card>
        <Card
          title={t('containers.network')}
          actions={
            hasNetwork && (
              <Note>
                {t('containers.sum', { in: bytes(last.network_rx_bytes), out: bytes(last.network_tx_bytes) })}
              </Note>
            )
          }
        >
          {hasNetwork ? (
            <TimeGraph
              label={t('containers.network')}
              times={times}
              format={rate}
              isBinary
              least={1024}
              lines={[
                {
                  name: t('containers.received'),
                  tone: 'good',
                  values: of((sample) => sample.network_rx_per_second),
                },
                {
                  name: t('containers.sent'),
                  tone: 'warn',
                  values: of((sample) => sample.network_tx_per_second),
                },
              ]}
            />
          ) : (
            <p className="py-12 text-center text-muted">
              {t('containers.noNetwork', { network: last.network ?? 'host' })}
            </p>
          )}
        </Card>
        <Card
          title={t('containers.disk')}
          actions={
            <Note>
              {t('containers.sum', { in: bytes(last.block_read_bytes), out: bytes(last.block_write_bytes) })}
            </Note>
          }
        >
          <TimeGraph
            label={t('containers.disk')}
            times={times}
            format={rate}
            isBinary
            least={1024}
            lines={[
              {
                name: t('containers.read'),
                tone: 'good',
                values: of((sample) => sample.block_read_per_second),
              },
              {
                name: t('containers.written'),
                tone: 'warn',
                values: of((sample) => sample.block_write_per_second),
              },
            ]}
          />
        </Card>
        {gpus.map(({ index, name, uuid }) => (
          <Card key={uuid} title={t('containers.gpu', { index, name })}>
            <TimeGraph
              label={t('containers.gpu', { index, name })}
              times={times}
              format={(value) => (typeof value === 'number' ? percent(value / 100) : '–')}
              least={10}
              lines={[
                {
                  name: t('containers.utilization'),
                  tone: 'info',
                  values: of((sample) => gpuOf(sample, uuid)?.utilization_percent),
                },
              ]}
            />
            <div className="mt-3" />
            <TimeGraph
              label={t('containers.gpuMemory')}
              times={times}
              format={bytes}
              isBinary
              least={1024 * 1024}
              lines={[
                {
                  name: t('containers.gpuMemory'),
                  tone: 'accent',
                  values: of((sample) => gpuOf(sample, uuid)?.memory_bytes),
                },
              ]}
            />
          </Card>
        ))}
      </div>
    </>
  );
}

function gpuOf({ gpus }: ContainerStats, uuid: string) {
  return gpus?.find((gpu) => gpu.uuid === uuid);
}

function Note({ children }: { children: React.ReactNode }) {
  return <span className="num text-muted text-xs">{children}</span>;
}
