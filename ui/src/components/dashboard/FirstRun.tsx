/** The first page of who has no task yet: what this is, what is here, and where to begin. */
import { BookOpenText, Check, CircleDashed, Play, Plus } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button, buttonClass } from '@/components/Button';
import { href } from '@/lib/navigate';

export interface Available {
  /** Nothing while it is not known. */
  docker: boolean | undefined;
  dockerProblem?: string | undefined;
  gpus: readonly string[] | undefined;
  cpus: number | undefined;
}

export function FirstRun({
  available,
  mayOperate,
  onDemo,
  isStarting,
}: {
  available: Available;
  mayOperate: boolean;
  onDemo: () => void;
  isStarting: boolean;
}) {
  const { t } = useTranslation();
  const { docker, dockerProblem, gpus, cpus } = available;
  return (
    <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <section className="card p-6 sm:p-8">
        <h2 className="max-w-2xl font-semibold text-2xl leading-9 tracking-tight">
          {t('dashboard.first.what')}
        </h2>
        <ol className="mt-6 space-y-4">
          {[1, 2, 3].map((step) => (
            <li key={step} className="flex gap-3">
              <span
                aria-hidden
                className="num flex size-6 shrink-0 items-center justify-center rounded-full bg-accent-soft font-semibold text-accent text-xs"
              >
                {step}
              </span>
              <div>
                <h3 className="font-medium">{t(`dashboard.first.step${step}`)}</h3>
                <p className="max-w-2xl text-muted">{t(`dashboard.first.text${step}`)}</p>
              </div>
            </li>
          ))}
        </ol>
        {mayOperate ? (
          <>
            <div className="mt-7 flex flex-wrap items-center gap-2">
              <Button kind="primary" size="lg" icon={Play} isPending={isStarting} onClick={onDemo}>
                {t('dashboard.first.demo')}
              </Button>
              <a href={href.newTask()} className={buttonClass('secondary', 'lg')}>
                <Plus aria-hidden className="size-4" />
                {t('nav.newTask')}
              </a>
            </div>
            <p className="mt-2 text-muted text-xs">{t('dashboard.first.demoText')}</p>
          </>
        ) : (
          <p className="mt-7 text-muted">{t('dashboard.first.viewer')}</p>
        )}
      </section>
      <div className="space-y-4">
        <section className="card p-4">
          <h2 className="mb-3 font-semibold text-sm">{t('dashboard.first.here')}</h2>
          <ul className="space-y-3 text-sm">
            <Thing
              isThere={docker}
              name="Docker"
              text={
                docker === undefined
                  ? t('state.loading')
                  : docker
                    ? t('dashboard.first.docker')
                    : (dockerProblem ?? t('dashboard.first.noDocker'))
              }
            />
            <Thing
              isThere={gpus === undefined ? undefined : gpus.length > 0}
              name={gpus && gpus.length > 0 ? t('dashboard.first.gpus', { count: gpus.length }) : 'GPU'}
              text={
                gpus === undefined
                  ? t('state.loading')
                  : gpus.length > 0
                    ? [...new Set(gpus)].join(', ')
                    : t('dashboard.first.noGpus')
              }
            />
            {cpus !== undefined && (
              <Thing
                isThere
                name={t('dashboard.first.cpus', { count: cpus })}
                text={t('dashboard.first.cpusText')}
              />
            )}
          </ul>
        </section>
        <a
          href="/docs"
          target="_blank"
          rel="noreferrer"
          className="card flex items-center gap-3 p-4 hover:bg-sunken"
        >
          <BookOpenText aria-hidden className="size-5 text-muted" />
          <span>
            <span className="block font-medium text-sm">{t('nav.apiDocs')}</span>
            <span className="block text-muted text-xs">{t('dashboard.first.docs')}</span>
          </span>
        </a>
      </div>
    </div>
  );
}

function Thing({ isThere, name, text }: { isThere: boolean | undefined; name: string; text: string }) {
  const Icon = isThere ? Check : CircleDashed;
  return (
    <li className="flex gap-2.5">
      <Icon
        aria-hidden
        className={isThere ? 'mt-0.5 size-4 shrink-0 text-good' : 'mt-0.5 size-4 shrink-0 text-muted'}
      />
      <span className="min-w-0">
        <span className="block font-medium">{name}</span>
        <span className="block break-words text-muted text-xs">{text}</span>
      </span>
    </li>
  );
}
