/** Names with a value each: variables of the environment, keys of a request. */
import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/components/Button';
import { Input } from '@/components/Input';
import { FormField } from './FormField';
import { asTyped } from './inputs';
import { isObject, type Json, type Path } from './json';
import { NameBox } from './NameBox';
import { useAt, useDocumentStore } from './store';
import { useRowIds } from './useRowIds';
import { parseValue } from './values';

export interface KeyValuesProps {
  path: Path;
  label: string;
  help?: string;
  addLabel: string;
  namePlaceholder: string;
  /** Values are texts as they stand; otherwise numbers and switches are understood. */
  isText?: boolean;
  /** Something to say of a value beside it. */
  note?: (name: string, value: Json) => string | undefined;
}

export function KeyValues({
  path,
  label,
  help,
  addLabel,
  namePlaceholder,
  isText = false,
  note,
}: KeyValuesProps) {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const value = useAt(path);
  const [name, setName] = useState('');
  const { idOf, renamed } = useRowIds();
  const entries = isObject(value) ? Object.entries(value) : [];
  const isTaken = (wanted: string) => entries.some(([own]) => own === wanted);
  const add = () => {
    const wanted = name.trim();
    if (wanted === '' || isTaken(wanted)) return;
    store.set([...path, wanted], '');
    setName('');
    const id = idOf(wanted);
    requestAnimationFrame(() => document.getElementById(`${id}-value`)?.focus());
  };
  return (
    <FormField path={path} label={label} help={help} isGroup>
      {() => (
        <div className="space-y-1.5">
          {entries.map(([key, own]) => (
            <FormField key={idOf(key)} path={[...path, key]} isGroup label={key} hideLabel>
              {(tie) => (
                <>
                  <div className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)_auto] items-start gap-1.5">
                    <div className="min-w-0">
                      <NameBox
                        name={key}
                        label={t('form.keyName')}
                        isTaken={isTaken}
                        onRename={(next) => {
                          renamed(key, next);
                          store.rename(path, key, next);
                        }}
                      />
                    </div>
                    <ValueBox
                      id={`${idOf(key)}-value`}
                      label={t('form.keyValue', { name: key })}
                      value={own}
                      isText={isText}
                      isWrong={tie['aria-invalid']}
                      onChange={(next) => store.set([...path, key], next)}
                    />
                    <IconButton
                      icon={X}
                      label={t('form.removeRow', { row: key })}
                      onClick={() => store.remove([...path, key])}
                    />
                  </div>
                  {note?.(key, own) && <p className="mt-1 text-muted text-xs">{note(key, own)}</p>}
                </>
              )}
            </FormField>
          ))}
          <div className="flex max-w-sm gap-1.5">
            <Input
              value={name}
              aria-label={addLabel}
              placeholder={namePlaceholder}
              spellCheck={false}
              autoComplete="off"
              className="font-mono text-xs"
              onChange={({ target }) => setName(target.value)}
              onKeyDown={(event) => {
                if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
                  event.preventDefault();
                  add();
                }
              }}
              onBlur={(event) => event.relatedTarget === null && add()}
            />
            <Button icon={Plus} disabled={name.trim() === '' || isTaken(name.trim())} onClick={add}>
              {addLabel}
            </Button>
          </div>
        </div>
      )}
    </FormField>
  );
}

function ValueBox({
  id,
  label,
  value,
  isText,
  isWrong,
  onChange,
}: {
  id: string;
  label: string;
  value: Json;
  isText: boolean;
  isWrong: boolean | undefined;
  onChange: (value: Json) => void;
}) {
  const [typed, setTyped] = useState<string>();
  return (
    <Input
      id={id}
      data-first
      aria-label={label}
      aria-invalid={isWrong}
      value={typed ?? (isText ? asTyped(value) : writeAny(value))}
      spellCheck={false}
      autoComplete="off"
      className="font-mono text-xs"
      onChange={({ target }) => {
        setTyped(target.value);
        onChange(isText ? target.value : readAny(target.value));
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}

/** A value of any kind: what looks like JSON is JSON. */
export function readAny(text: string): Json {
  if (/^\s*[[{]/.test(text)) {
    try {
      return JSON.parse(text) as Json;
    } catch {
      return text;
    }
  }
  return text.trim() === '' ? '' : parseValue(text);
}

/** How {@link readAny} would be told this value. */
export function writeAny(value: Json): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  return value === '' || readAny(value) === value ? value : JSON.stringify(value);
}
