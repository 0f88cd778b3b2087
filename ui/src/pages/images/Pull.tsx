/** Has an image fetched, and shows how far it is. Leaving the page gives the fetch up. */
import { useQueryClient } from '@tanstack/react-query';
import { CloudDownload } from 'lucide-react';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { type PullProgress, pullImage } from '@/api/queries/images';
import { Button } from '@/components/Button';
import { Input } from '@/components/Input';
import { ProgressBar } from '@/components/Progress';
import { bytes, percent } from '@/lib/format';
import { notifyDone, notifyFailure } from '@/lib/notify';

export function Pull({ known }: { known: readonly string[] }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const isAdmin = useMay('admin');
  const [reference, setReference] = useState('');
  const [progress, setProgress] = useState<PullProgress | 'begins' | null>(null);
  const fetching = useRef<AbortController>(undefined);
  const list = useId();
  useEffect(() => () => fetching.current?.abort(), []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const name = reference.trim();
    if (name === '') return;
    const own = new AbortController();
    fetching.current = own;
    setProgress('begins');
    try {
      await pullImage(name, own.signal, setProgress);
      notifyDone(t('images.pulled', { name }));
      setReference('');
    } catch (error) {
      if (!own.signal.aborted) notifyFailure(t('images.notPulled', { name }), error);
    } finally {
      setProgress(null);
      void client.invalidateQueries({ queryKey: ['docker'] });
    }
  };
  return (
    <form onSubmit={submit} className="card mb-4 p-4">
      <div className="flex flex-wrap items-center gap-2">
        <label htmlFor={`${list}-name`} className="w-full font-medium text-sm sm:w-auto">
          {t('images.pull')}
        </label>
        <Input
          id={`${list}-name`}
          list={list}
          value={reference}
          disabled={progress !== null}
          onChange={(event) => setReference(event.target.value)}
          placeholder="vllm/vllm-openai:v0.11.0"
          autoComplete="off"
          spellCheck={false}
          className="min-w-0 flex-1 basis-56 font-mono text-xs!"
        />
        <datalist id={list}>
          {known.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        {progress === null ? (
          <Button type="submit" kind="primary" icon={CloudDownload} disabled={reference.trim() === ''}>
            {t('images.fetch')}
          </Button>
        ) : (
          <Button onClick={() => fetching.current?.abort()}>{t('action.cancel')}</Button>
        )}
      </div>
      {progress === null ? (
        <p className="mt-2 text-muted text-xs">{t(isAdmin ? 'images.pullAny' : 'images.pullSome')}</p>
      ) : (
        <Progress progress={progress} name={reference} />
      )}
    </form>
  );
}

function Progress({ progress, name }: { progress: PullProgress | 'begins'; name: string }) {
  const { t } = useTranslation();
  if (progress === 'begins')
    return (
      <p role="status" className="mt-3 animate-pulse text-muted text-xs">
        {t('images.asking')}
      </p>
    );
  const { layers_done, layers, bytes_done, bytes: all } = progress;
  const share = all > 0 ? bytes_done / all : 0;
  return (
    <div className="mt-3">
      <ProgressBar value={share * 100} label={t('images.fetching', { name })} />
      <p className="num mt-1.5 flex flex-wrap justify-between gap-x-4 text-muted text-xs">
        <span>{t('images.layers', { done: layers_done, count: layers })}</span>
        <span>
          {t('images.bytes', { done: bytes(bytes_done), all: bytes(all) })} · {percent(share, 0)}
        </span>
      </p>
    </div>
  );
}
