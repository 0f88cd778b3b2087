/** Asks before a container goes: with force where it runs, by its name where it is not ours. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../Button';
import { Dialog } from '../Dialog';
import { Field, Input } from '../Input';
import { Checkbox } from '../Toggle';

export interface Removal {
  id: string;
  name: string;
  state: string;
  is_ours: boolean;
}

/** One that is at this has to be ended before it can go. */
export function needsForce(state: string): boolean {
  return ['running', 'paused', 'restarting'].includes(state);
}

export function RemoveDialog({
  containers,
  onRemove,
  onClose,
}: {
  containers: readonly Removal[];
  onRemove: (force: boolean) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [force, setForce] = useState(false);
  const [typed, setTyped] = useState('');
  const one = containers.length === 1 ? containers[0] : undefined;
  const running = containers.filter(({ state }) => needsForce(state)).length;
  const foreign = containers.filter(({ is_ours }) => !is_ours);
  const word = one?.name ?? String(containers.length);
  const isTypedFor = force && foreign.length > 0;
  const isReady = (!isTypedFor || typed === word) && (running < containers.length || force);
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="sm"
      title={
        one
          ? t('containers.remove.title', { name: one.name })
          : t('containers.remove.titleMany', { count: containers.length })
      }
      footer={
        <>
          <Button onClick={onClose}>{t('action.cancel')}</Button>
          <Button kind="danger" disabled={!isReady} onClick={() => onRemove(force)}>
            {t('action.remove')}
          </Button>
        </>
      }
    >
      <p className="text-muted">{t('containers.remove.text', { count: containers.length })}</p>
      {!one && (
        <ul className="mt-2 max-h-32 overflow-y-auto rounded-lg bg-sunken px-3 py-2 font-mono text-xs">
          {containers.map(({ id, name }) => (
            <li key={id} className="truncate">
              {name}
            </li>
          ))}
        </ul>
      )}
      <div className="mt-4">
        <Checkbox label={t('containers.remove.force')} isOn={force} onChange={setForce} />
        {running > 0 && (
          <p className="mt-1 text-warn text-xs">
            {one
              ? t('containers.remove.runs', {
                  state: t(`containers.state.${one.state}`, { defaultValue: one.state }),
                })
              : t('containers.remove.someRun', { count: running })}
          </p>
        )}
      </div>
      {isTypedFor && (
        <Field
          className="mt-4"
          label={t(one ? 'containers.remove.type' : 'containers.remove.typeCount', { word })}
          help={t('containers.remove.foreign', { count: foreign.length })}
        >
          {(tie) => (
            <Input
              {...tie}
              value={typed}
              autoComplete="off"
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
      )}
    </Dialog>
  );
}
