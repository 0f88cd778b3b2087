/** Puts a text where it can be pasted from. */
import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { toast } from 'sonner';
import { IconButton } from './Button';

/** Copies, also where a page is not served securely. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'fixed opacity-0';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) throw new Error('the browser refused');
}

function useCopy(text: string | (() => string)) {
  const { t } = useTranslation();
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 1_500);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = async () => {
    try {
      await copyText(typeof text === 'string' ? text : text());
      setDone(true);
    } catch {
      toast.error(t('state.notCopied'));
    }
  };
  return { isDone, copy };
}

export function CopyButton({ text, label }: { text: string | (() => string); label?: string }) {
  const { t } = useTranslation();
  const { isDone, copy } = useCopy(text);
  return (
    <IconButton
      icon={isDone ? Check : Copy}
      label={isDone ? t('state.copied') : (label ?? t('action.copy'))}
      onClick={copy}
      tone={isDone ? 'good' : 'neutral'}
    />
  );
}

/** A command or a document that can be copied whole. */
export function CodeBlock({ text, label, className }: { text: string; label?: string; className?: string }) {
  return (
    <div className={`relative min-w-0 rounded-lg border border-line bg-sunken ${className ?? ''}`}>
      <div className="absolute top-1 right-1">
        <CopyButton text={text} label={label} />
      </div>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        className="overflow-x-auto p-3 pr-12 font-mono text-xs leading-5 whitespace-pre-wrap break-words"
      >
        {text}
      </pre>
    </div>
  );
}
