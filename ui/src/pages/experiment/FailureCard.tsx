/** Why an experiment failed, what to do about it, and the engine's last words. */
import { Lightbulb } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { Card } from '@/components/Card';
import { CopyButton } from '@/components/Copy';
import { FailureBadge } from '@/components/experiment/parts';
import { messageAlone } from '@/components/experiment/read';

export function FailureCard({ experiment, logHref }: { experiment: Experiment; logHref: string }) {
  const { t } = useTranslation();
  const { failure_kind, error_message, advice, log_tail } = experiment;
  return (
    <Card
      title={
        <span className="flex items-center gap-2">
          {t(failure_kind === 'early_aborted' ? 'experiments.page.givenUp' : 'experiments.page.failed')}
          {failure_kind && <FailureBadge kind={failure_kind} />}
        </span>
      }
    >
      {error_message && <p className="break-words">{messageAlone(error_message, advice)}</p>}
      {advice && (
        <p className="mt-3 flex gap-2 rounded-lg bg-info-soft p-3 text-info">
          <Lightbulb aria-hidden className="mt-0.5 size-4 shrink-0" />
          <span className="min-w-0 break-words">
            <span className="font-medium">{t('experiments.page.advice')}: </span>
            {advice}
          </span>
        </p>
      )}
      {log_tail && log_tail.length > 0 && (
        <div className="mt-4">
          <div className="mb-1 flex items-center justify-between text-muted text-xs">
            <h3 className="font-medium">{t('experiments.page.lastLines')}</h3>
            <span className="flex items-center gap-1">
              <a href={logHref} className="text-accent hover:underline">
                {t('experiments.page.fullLog')}
              </a>
              <CopyButton text={log_tail.join('\n')} />
            </span>
          </div>
          <pre
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
            tabIndex={0}
            className="max-h-72 overflow-auto rounded-lg border border-line bg-sunken p-3 font-mono text-xs leading-5 break-words whitespace-pre-wrap"
          >
            {log_tail.map((line, index) => (
              <span
                // biome-ignore lint/suspicious/noArrayIndexKey: lines have no names and never move
                key={index}
                className={/^(error|fatal|traceback)/i.test(line) ? 'block text-bad' : 'block'}
              >
                {line || ' '}
              </span>
            ))}
          </pre>
        </div>
      )}
    </Card>
  );
}
