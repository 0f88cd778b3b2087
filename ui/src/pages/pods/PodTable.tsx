/** Pods in a table. */
import { useTranslation } from 'react-i18next';
import type { Pod } from '@/api/queries/pods';
import { DeleteButton } from '@/components/pod/DeleteButton';
import { Asked, PodOwner, reasonOf, sinceOf } from '@/components/pod/facts';
import { PodState } from '@/components/pod/PodState';
import type { Delete } from '@/components/pod/useDelete';
import { Cell, Head } from '@/components/Table';
import { Time } from '@/components/Time';
import { href } from '@/lib/navigate';
import type { Shown, Sort } from './filter';

export function PodTable({
  pods,
  remove,
  shown,
  onSort,
}: {
  pods: readonly Pod[];
  remove: Delete;
  shown: Shown;
  onSort: (sort: Sort) => void;
}) {
  const { t } = useTranslation();
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
            {head('state', t('pods.stateColumn'))}
            {head('name', t('pods.name'))}
            <Head label={t('pods.experiment')} />
            {head('node', t('pods.node'))}
            <Head label={t('pods.asksFor')} />
            {head('created', t('pods.since'))}
            <th scope="col" className="px-3 py-2">
              <span className="sr-only">{t('pods.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {pods.map((pod) => {
            const { name, uid, image, node, is_needed, restart_count } = pod;
            const reason = reasonOf(pod);
            const since = sinceOf(pod);
            return (
              <tr key={uid} className="hover:bg-sunken/60">
                <Cell>
                  <PodState pod={pod} />
                </Cell>
                <th scope="row" className="w-full max-w-0 min-w-64 px-3 py-2 text-left font-normal">
                  <a
                    href={href.pod(name)}
                    className="block truncate font-medium hover:text-accent hover:underline"
                    title={name}
                  >
                    {name}
                  </a>
                  {reason ? (
                    <div className="truncate text-warn text-xs" title={reason}>
                      {reason}
                    </div>
                  ) : (
                    <div className="truncate text-muted text-xs" title={image}>
                      {image}
                    </div>
                  )}
                </th>
                <Cell className="max-w-64">
                  <PodOwner pod={pod} />
                  <div className="text-muted text-xs">
                    {t(is_needed ? 'pods.needed' : 'pods.notNeeded')}
                    {restart_count > 0 && ` · ${t('pods.restarts', { count: restart_count })}`}
                  </div>
                </Cell>
                <Cell className="max-w-48">
                  <span className="block truncate text-muted" title={node ?? undefined}>
                    {node ?? '–'}
                  </span>
                </Cell>
                <Cell className="whitespace-nowrap text-muted text-xs">
                  <Asked pod={pod} />
                </Cell>
                <Cell className="whitespace-nowrap text-muted">
                  <Time at={since.at} />
                </Cell>
                <td className="py-1 pr-3">
                  <DeleteButton pod={pod} remove={remove} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
