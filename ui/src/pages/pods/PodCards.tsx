/** Pods as cards, where there is little room. */
import { ScrollText } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Pod } from '@/api/queries/pods';
import { iconButtonClass } from '@/components/Button';
import { DeleteButton } from '@/components/pod/DeleteButton';
import { Asked, PodOwner, reasonOf, sinceOf } from '@/components/pod/facts';
import { PodState } from '@/components/pod/PodState';
import type { Delete } from '@/components/pod/useDelete';
import { Time } from '@/components/Time';
import { cx } from '@/lib/cx';
import { href } from '@/lib/navigate';

export function PodCards({ pods, remove }: { pods: readonly Pod[]; remove: Delete }) {
  const { t } = useTranslation();
  return (
    <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
      {pods.map((pod) => {
        const { name, uid, image, node, is_needed } = pod;
        const reason = reasonOf(pod);
        const since = sinceOf(pod);
        return (
          <li key={uid} className="card flex min-w-0 flex-col">
            <div className="flex items-start gap-3 px-4 pt-3">
              <div className="min-w-0 flex-1">
                <a
                  href={href.pod(name)}
                  className="block font-medium break-all hover:text-accent hover:underline"
                >
                  {name}
                </a>
                <div className="truncate text-muted text-xs" title={image}>
                  {image}
                </div>
              </div>
              <PodState pod={pod} />
            </div>
            {reason && <p className="px-4 pt-2 text-warn text-xs break-words">{reason}</p>}
            <dl className="grid flex-1 grid-cols-[auto_minmax(0,1fr)] content-start items-baseline gap-x-3 gap-y-1 px-4 py-3 text-xs">
              <Fact label={t('pods.experiment')}>
                <PodOwner pod={pod} />
              </Fact>
              <Fact label={t('pods.need')}>{t(is_needed ? 'pods.needed' : 'pods.notNeeded')}</Fact>
              <Fact label={t('pods.node')}>{node ?? '–'}</Fact>
              <Fact label={t('pods.asksFor')}>
                <Asked pod={pod} />
              </Fact>
              <Fact label={t(`pods.sinceWord.${since.key}`)}>
                <Time at={since.at} />
              </Fact>
            </dl>
            <div className="flex items-center justify-between border-line border-t px-2 py-1">
              <a href={href.pod(name)} className={cx(iconButtonClass(), 'w-auto! gap-1.5 px-2 text-xs')}>
                <ScrollText aria-hidden className="size-4" />
                {t('pods.details')}
              </a>
              <DeleteButton pod={pod} remove={remove} />
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
