/** What is known of a container. */
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Container } from '@/api/queries/containers';
import { Badge } from '@/components/Badge';
import { Card } from '@/components/Card';
import { CodeBlock, CopyButton } from '@/components/Copy';
import { ContainerState } from '@/components/container/ContainerState';
import { Owner, Ports } from '@/components/container/facts';
import { Time } from '@/components/Time';

export function Details({ container }: { container: Container }) {
  const { t } = useTranslation();
  const labels = Object.entries(container.labels).toSorted(([a], [b]) => a.localeCompare(b));
  const { exit_code, out_of_memory } = container;
  return (
    <div className="grid items-start gap-3 xl:grid-cols-2">
      <Card title={t('containers.about')}>
        <dl className="grid grid-cols-[auto_minmax(0,1fr)] items-baseline gap-x-6 gap-y-2 text-sm">
          <Fact label={t('containers.stateColumn')}>
            <ContainerState state={container.state} health={container.health} />
          </Fact>
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
          {container.error && (
            <Fact label={t('containers.error')}>
              <span className="break-words text-bad">{container.error}</span>
            </Fact>
          )}
          <Fact label={t('containers.restarts')}>
            <span className="num">{container.restart_count}</span>
          </Fact>
          <Fact label={t('containers.owner')}>
            <Owner of={container} />
          </Fact>
          <Fact label={t('containers.image')}>
            <span className="break-all">{container.image}</span>
          </Fact>
          <Fact label={t('containers.id')}>
            <span className="flex items-center gap-1">
              <span className="min-w-0 truncate font-mono text-xs">{container.id}</span>
              <CopyButton text={container.id} label={t('containers.copyId')} />
            </span>
          </Fact>
          {(['created', 'started_at', 'finished_at'] as const).map((key) => (
            <Fact key={key} label={t(`containers.time.${key}`)}>
              <Time at={container[key]} style="full" />
              {container[key] && (
                <span className="text-muted">
                  {' '}
                  (<Time at={container[key]} />)
                </span>
              )}
            </Fact>
          ))}
          <Fact label={t('containers.ports')}>
            <Ports ports={container.ports} />
          </Fact>
          <Fact label={t('containers.network')}>{container.network ?? '–'}</Fact>
          <Fact label={t('containers.logDriver')}>
            {container.log_driver ?? '–'}
            {container.has_terminal && ` · ${t('containers.terminal')}`}
          </Fact>
        </dl>
      </Card>
      <div className="min-w-0 space-y-3">
        <Card title={t('containers.command')}>
          {container.command === '' ? (
            <p className="text-muted">–</p>
          ) : (
            <CodeBlock
              text={container.command}
              label={t('containers.copyCommand')}
              className="max-h-80 overflow-y-auto"
            />
          )}
        </Card>
        <Card title={t('containers.labels')} padded={false}>
          {labels.length === 0 ? (
            <p className="p-4 text-muted">{t('containers.noLabels')}</p>
          ) : (
            <div className="max-h-96 overflow-auto">
              <table className="w-full text-left text-xs">
                <thead className="sr-only">
                  <tr>
                    <th scope="col">{t('containers.label')}</th>
                    <th scope="col">{t('containers.value')}</th>
                  </tr>
                </thead>
                <tbody className="divide-y divide-line font-mono">
                  {labels.map(([name, value]) => (
                    <tr key={name}>
                      <th
                        scope="row"
                        className="w-2/5 min-w-40 px-4 py-1.5 align-top font-normal text-muted break-words"
                      >
                        {name}
                      </th>
                      <td className="px-4 py-1.5 break-all">{value}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </Card>
      </div>
    </div>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{label}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}
