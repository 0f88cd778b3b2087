/** How many containers and images there are, and the daemon that has them. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { dockerInfo } from '@/api/queries/containers';
import { Figure } from '@/components/Card';
import { Skeleton } from '@/components/States';
import { number } from '@/lib/format';
import { href } from '@/lib/navigate';

export function Summary() {
  const { t } = useTranslation();
  const { data } = useQuery(dockerInfo);
  const figures = [
    { key: 'total', value: data?.containers },
    { key: 'running', value: data?.containers_running, tone: 'text-good' },
    { key: 'stopped', value: data?.containers_stopped },
    { key: 'images', value: data?.images, tone: 'text-info', link: href.images() },
  ];
  return (
    <section aria-label={t('containers.summary')} className="mb-4 grid grid-cols-2 gap-3 lg:grid-cols-4">
      {figures.map(({ key, value, tone, link }) => {
        const figure = (
          <Figure
            key={key}
            label={t(`containers.figure.${key}`)}
            value={value === undefined ? <Skeleton className="my-1 h-5 w-10" /> : number(value, 9)}
            {...(tone && { tone })}
            hint={
              key === 'total' && data
                ? `Docker ${data.version} · ${data.driver}`
                : key === 'running' && data && data.containers_paused > 0
                  ? t('containers.figure.paused', { count: data.containers_paused })
                  : undefined
            }
          />
        );
        return link ? (
          <a key={key} href={link} className="card p-4 hover:border-line-strong">
            {figure}
          </a>
        ) : (
          <div key={key} className="card p-4">
            {figure}
          </div>
        );
      })}
    </section>
  );
}
