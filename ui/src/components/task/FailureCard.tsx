/** What went wrong in a run, by kind, with what to do about it. */
import { Lightbulb } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Badge } from '@/components/Badge';
import { Card } from '@/components/Card';
import { number } from '@/lib/format';
import { href } from '@/lib/navigate';
import type { FailureKind } from './failures';

/** More experiments than these of one kind are behind a link. */
const MOST = 8;

export function FailureCard({
  taskId,
  failures,
  className,
}: {
  taskId: number;
  failures: readonly FailureKind[];
  className?: string | undefined;
}) {
  const { t } = useTranslation();
  if (failures.length === 0) return null;
  return (
    <Card title={t('tasks.failures.title')} padded={false} {...(className && { className })}>
      <ul className="divide-y divide-line">
        {failures.map(({ kind, experiments, advice, message }) => (
          <li key={kind} className="px-4 py-3">
            <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
              <Badge tone="bad">{t(`failure.${kind}`, { defaultValue: kind })}</Badge>
              <span className="num text-muted text-xs">
                {t('tasks.failures.count', { count: experiments.length, number: number(experiments.length) })}
              </span>
              <span className="num flex flex-wrap gap-x-1 text-xs">
                {experiments.slice(0, MOST).map((experiment) => (
                  <a
                    key={experiment.id}
                    href={href.experiment(taskId, experiment.experiment_id)}
                    aria-label={t('tasks.blocks.one', { number: experiment.experiment_id })}
                    className="inline-flex min-h-6 min-w-6 items-center justify-center text-accent hover:underline"
                  >
                    #{experiment.experiment_id}
                  </a>
                ))}
                {experiments.length > MOST && (
                  <a
                    href={href.taskPart(taskId, 'experiments', { failure: kind })}
                    className="inline-flex min-h-6 min-w-6 items-center justify-center text-muted hover:text-accent hover:underline"
                  >
                    +{experiments.length - MOST}
                  </a>
                )}
              </span>
            </div>
            {message && (
              <p className="mt-1.5 line-clamp-3 break-words font-mono text-muted text-xs">{message}</p>
            )}
            {advice.map((text) => (
              <p key={text} className="mt-1.5 flex gap-1.5 text-sm">
                <Lightbulb aria-hidden className="mt-0.5 size-4 shrink-0 text-warn" />
                {text}
              </p>
            ))}
          </li>
        ))}
      </ul>
    </Card>
  );
}
