/** Containers in a table. */
import { useTranslation } from 'react-i18next';
import type { Container } from '@/api/queries/containers';
import { ContainerActions } from '@/components/container/ContainerActions';
import { ContainerState } from '@/components/container/ContainerState';
import { Owner, Ports, sinceOf } from '@/components/container/facts';
import { Cell, Head } from '@/components/Table';
import { Time } from '@/components/Time';
import { Checkbox } from '@/components/Toggle';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';
import type { Shown, Sort } from './filter';
import { Usage } from './Usage';
import type { Actions } from './useActions';

export interface ContainerListProps {
  containers: readonly Container[];
  actions: Actions;
  selected: ReadonlySet<string>;
  onSelect: (ids: readonly string[], isOn: boolean) => void;
}

/** How many are measured at once. */
export const MEASURED = 24;

export function ContainerTable({
  containers,
  actions,
  selected,
  onSelect,
  shown,
  onSort,
}: ContainerListProps & { shown: Shown; onSort: (sort: Sort) => void }) {
  const { t } = useTranslation();
  const chosen = containers.filter(({ id }) => selected.has(id)).length;
  const head = (sort: Sort, label: string) => (
    <Head
      label={label}
      sortLabel={t('list.sortBy', { column: label })}
      order={shown.sort === sort ? shown.order : undefined}
      onSort={() => onSort(sort)}
    />
  );
  return (
    <div className="card overflow-x-auto">
      <table className="w-full text-left">
        <thead className="border-line border-b text-muted text-xs">
          <tr>
            <th scope="col" className="w-10 py-2 pl-4">
              <Checkbox
                hideLabel
                label={t('containers.selectAll')}
                isOn={chosen > 0 && chosen === containers.length}
                isPartly={chosen > 0 && chosen < containers.length}
                onChange={(isOn) =>
                  onSelect(
                    containers.map(({ id }) => id),
                    isOn,
                  )
                }
              />
            </th>
            {head('state', t('containers.stateColumn'))}
            {head('name', t('containers.name'))}
            {head('image', t('containers.image'))}
            <Head label={t('containers.usage')} />
            {head('created', t('containers.since'))}
            <th scope="col" className="px-3 py-2 text-right font-medium">
              <span className="sr-only">{t('containers.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {containers.map((container, index) => {
            const { id, name, image, state, ports, command, short_id, task_name, is_ours } = container;
            const since = sinceOf(container);
            return (
              <tr key={id} className={cx('hover:bg-sunken/60', selected.has(id) && 'bg-accent-soft/50')}>
                <td className="py-2 pl-4">
                  <Checkbox
                    hideLabel
                    label={t('list.select', { name })}
                    isOn={selected.has(id)}
                    onChange={(isOn) => onSelect([id], isOn)}
                  />
                </td>
                <Cell>
                  <ContainerState state={state} exitCode={container.exit_code} health={container.health} />
                </Cell>
                <th scope="row" className="w-full max-w-0 min-w-56 px-3 py-2 text-left font-normal">
                  <a
                    href={href.container(id)}
                    className="block truncate font-medium hover:text-accent hover:underline"
                    title={name}
                  >
                    {name}
                  </a>
                  <div className="flex min-w-0 gap-2 text-muted text-xs">
                    <span className="font-mono">{short_id}</span>
                    <span className="truncate font-mono" title={command.slice(0, 1000)}>
                      {oneLine(command)}
                    </span>
                  </div>
                </th>
                <Cell className="max-w-72">
                  <span className="block truncate text-muted" title={image}>
                    {image}
                  </span>
                  {(task_name || is_ours) && (
                    <div className="text-xs">
                      <Owner of={container} />
                    </div>
                  )}
                </Cell>
                <Cell>
                  <Usage id={id} isRunning={state === 'running' && index < MEASURED} />
                </Cell>
                <Cell className="whitespace-nowrap text-muted">
                  <Time at={since.at} />
                  {Object.keys(ports).length > 0 && (
                    <div className="max-w-40 truncate">
                      <Ports ports={ports} />
                    </div>
                  )}
                </Cell>
                <td className="py-1 pr-3">
                  <ContainerActions
                    container={container}
                    pending={actions.pendingOf(id)}
                    refusal={actions.refusal}
                    onAction={(action) => actions.act(container, action)}
                    className="justify-end"
                  />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** A command line without its line breaks, as much as a row has room for. */
export function oneLine(command: string): string {
  return command.replace(/\s+/g, ' ').slice(0, 100);
}
