/** Asks before an image goes, removes it, and says what came of it. */
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useMay } from '@/api/queries/access';
import { type Image, useRemoveImage } from '@/api/queries/images';
import { Button } from '@/components/Button';
import { Dialog } from '@/components/Dialog';
import { Select } from '@/components/Select';
import { Checkbox } from '@/components/Toggle';
import { notifyDone, notifyFailure } from '@/lib/notify';

export interface Remove {
  may: boolean;
  /** The image that is being removed. */
  pending: string | undefined;
  ask: (image: Image) => void;
  dialog: ReactNode;
}

export function useRemove(): Remove {
  const { t } = useTranslation();
  const may = useMay('admin');
  const { mutateAsync } = useRemoveImage();
  const [asked, setAsked] = useState<Image | null>(null);
  const [pending, setPending] = useState<string>();
  const remove = async (image: Image, reference: string, force: boolean) => {
    setAsked(null);
    setPending(image.id);
    try {
      await mutateAsync({ reference, force });
      notifyDone(t('images.removed', { name: reference }));
    } catch (error) {
      notifyFailure(t('images.notRemoved', { name: reference }), error);
    } finally {
      setPending(undefined);
    }
  };
  return {
    may,
    pending,
    ask: setAsked,
    dialog: asked && (
      <Question
        key={asked.id}
        image={asked}
        onClose={() => setAsked(null)}
        onRemove={(reference, force) => void remove(asked, reference, force)}
      />
    ),
  };
}

function Question({
  image,
  onRemove,
  onClose,
}: {
  image: Image;
  onRemove: (reference: string, force: boolean) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const { tags, short_id, containers, tasks } = image;
  const [reference, setReference] = useState(tags[0] ?? short_id);
  const [force, setForce] = useState(false);
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="sm"
      title={t('images.removeTitle', { name: reference })}
      footer={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button kind="danger" onClick={() => onRemove(reference, force)}>
            {t('action.remove')}
          </Button>
        </>
      }
    >
      {tags.length > 1 && (
        <Select
          label={t('images.which')}
          value={reference}
          onChange={setReference}
          options={tags.map((value) => ({ value, label: value }))}
          className="mb-3 w-full"
        />
      )}
      <p className="text-muted">{tags.length > 1 ? t('images.removeName') : t('images.removeText')}</p>
      {containers.length > 0 && (
        <p className="mt-2 text-warn">{t('images.hasContainers', { count: containers.length })}</p>
      )}
      {tasks.length > 0 && <p className="mt-2 text-warn">{t('images.hasTasks', { count: tasks.length })}</p>}
      <div className="mt-4">
        <Checkbox label={t('images.force')} isOn={force} onChange={setForce} />
      </div>
    </Dialog>
  );
}
