/** Containers as cards: one column on a phone, four where there is room. */
import { ScrollText } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { iconButtonClass } from '@/components/Button';
import { ContainerActions } from '@/components/container/ContainerActions';
import { ContainerState } from '@/components/container/ContainerState';
import { Owner, Ports, sinceOf } from '@/components/container/facts';
import { Time } from '@/components/Time';
import { Checkbox } from '@/components/Toggle';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import { type ContainerListProps, MEASURED, oneLine } from './ContainerTable';
import { Usage } from './Usage';

export function ContainerCards({ containers, actions, selected, onSelect }: ContainerListProps) {
  const { t } = useTranslation();
  return (
    <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3 2xl:grid-cols-4">
      {containers.map((container, index) => {
        const { id, name, image, state, ports, command, short_id } = container;
        const since = sinceOf(container);
        return (
          <li
            key={id}
            className={cx(
              'card flex min-w-0 flex-col',
              selected.has(id) && 'border-accent bg-accent-soft/40',
            )}
          >
            <div className="flex items-start gap-3 px-4 pt-3">
              <div className="mt-1">
                <Checkbox
                  hideLabel
                  label={t('list.select', { name })}
                  isOn={selected.has(id)}
                  onChange={(isOn) => onSelect([id], isOn)}
                />
              </div>
              <div className="min-w-0 flex-1">
                <a
                  href={href.container(id)}
                  className="block truncate font-medium hover:text-accent hover:underline"
                  title={name}
                >
                  {name}
                </a>
                <div className="truncate text-muted text-xs" title={image}>
                  {image}
                </div>
              </div>
              <ContainerState state={state} exitCode={container.exit_code} health={container.health} />
            </div>
            <dl className="grid flex-1 grid-cols-[auto_minmax(0,1fr)] content-start items-baseline gap-x-3 gap-y-1 px-4 py-3 text-xs">
              <Fact label={t('containers.id')}>
                <span className="font-mono">{short_id}</span>
              </Fact>
              {(container.task_name || container.is_ours) && (
                <Fact label={t('containers.owner')}>
                  <Owner of={container} />
                </Fact>
              )}
              {state === 'running' && (
                <Fact label={t('containers.usage')}>
                  <Usage id={id} isRunning={index < MEASURED} />
                </Fact>
              )}
              {Object.keys(ports).length > 0 && (
                <Fact label={t('containers.ports')}>
                  <Ports ports={ports} />
                </Fact>
              )}
              <Fact label={t('containers.command')}>
                <span className="block truncate font-mono" title={command.slice(0, 1000)}>
                  {oneLine(command) || '–'}
                </span>
              </Fact>
              <Fact label={t(`containers.sinceWord.${since.key}`)}>
                <Time at={since.at} />
              </Fact>
            </dl>
            <div className="flex items-center justify-between border-line border-t px-2 py-1">
              <a href={href.container(id)} className={cx(iconButtonClass(), 'w-auto! gap-1.5 px-2 text-xs')}>
                <ScrollText aria-hidden className="size-4" />
                {t('containers.details')}
              </a>
              <ContainerActions
                container={container}
                pending={actions.pendingOf(id)}
                refusal={actions.refusal}
                onAction={(action) => actions.act(container, action)}
              />
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted">{label}</dt>
      <dd className="min-w-0 truncate">{children}</dd>
    </>
  );
}
