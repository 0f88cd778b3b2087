/** Form or text, and the ways to fill it at once. */
import { useQueryClient } from '@tanstack/react-query';
import { FileUp, Sparkles } from 'lucide-react';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { demoDocument } from '@/api/queries/check';
import { Button } from '@/components/Button';
import type { Json } from '@/components/form/json';
import { notifyFailure } from '@/lib/notify';
import { TabBar } from './TabBar';
import { type Given, readFile } from './useFileDrop';

export function HeaderActions({
  tab,
  hrefOf,
  onGiven,
  onDemo,
}: {
  tab: string;
  hrefOf: (tab: string) => string;
  onGiven: (given: Given | undefined) => void;
  /** Takes the demo's document; left out where there is something to lose. */
  onDemo?: (document: Json) => void;
}) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const picker = useRef<HTMLInputElement>(null);
  const [isPending, setPending] = useState(false);
  const demo = async () => {
    setPending(true);
    try {
      onDemo?.((await client.fetchQuery(demoDocument)) as Json);
    } catch (error) {
      notifyFailure(t('form.import.noDemo'), error);
    } finally {
      setPending(false);
    }
  };
  return (
    <>
      <TabBar active={tab} hrefOf={hrefOf} />
      {onDemo && (
        <Button kind="ghost" icon={Sparkles} isPending={isPending} onClick={() => void demo()}>
          {t('form.import.demo')}
        </Button>
      )}
      <Button icon={FileUp} onClick={() => picker.current?.click()}>
        {t('form.import.open')}
      </Button>
      <input
        ref={picker}
        type="file"
        accept=".yaml,.yml,.json"
        aria-label={t('form.import.open')}
        className="hidden"
        onChange={({ target }) => {
          const file = target.files?.[0];
          if (file) void readFile(file).then(onGiven);
          target.value = '';
        }}
      />
    </>
  );
}
