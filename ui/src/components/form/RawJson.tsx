/** A part of the document that has no fields of its own, as JSON text. */
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Textarea } from '@/components/Input';
import { FormField } from './FormField';
import type { Json, Path } from './json';
import { dotted } from './paths';
import { useOwnProblem } from './problems';
import { useAt, useDocumentStore } from './store';

function written(value: Json | undefined): string {
  return value === undefined ? '' : JSON.stringify(value, null, 2);
}

export function RawJson({
  value,
  onChange,
  onWrong,
  label,
  placeholder,
  id,
  ...tie
}: {
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  /** Told what is wrong with the text, or nothing. */
  onWrong?: (message: string | undefined) => void;
  label?: string;
  placeholder?: string;
  id?: string;
  'aria-invalid'?: boolean | undefined;
  'aria-describedby'?: string | undefined;
}) {
  const { t } = useTranslation();
  const own = useId();
  const [typed, setTyped] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  const say = (message: string | undefined) => {
    setWrong(message);
    onWrong?.(message);
  };
  const shown = typed ?? written(value);
  return (
    <>
      <Textarea
        id={id}
        {...tie}
        aria-label={id ? undefined : label}
        data-own-problem={wrong === undefined ? undefined : ''}
        aria-invalid={tie['aria-invalid'] || wrong !== undefined || undefined}
        aria-describedby={tie['aria-describedby'] ?? (wrong ? own : undefined)}
        value={shown}
        rows={Math.min(12, Math.max(2, shown.split('\n').length))}
        spellCheck={false}
        placeholder={placeholder}
        className="font-mono text-xs"
        onChange={({ target }) => {
          setTyped(target.value);
          if (target.value.trim() === '') {
            say(undefined);
            onChange(undefined);
            return;
          }
          try {
            onChange(JSON.parse(target.value) as Json);
            say(undefined);
          } catch (error) {
            say(t('form.notJson', { reason: error instanceof Error ? error.message : String(error) }));
          }
        }}
        onBlur={() => wrong === undefined && setTyped(undefined)}
      />
      {wrong !== undefined && !onWrong && (
        <p id={own} className="mt-1 text-bad text-xs">
          {wrong}
        </p>
      )}
    </>
  );
}

/** The same at a place of the document. */
export function RawAt({ path, label, help }: { path: Path; label: string; help?: string }) {
  const store = useDocumentStore();
  const value = useAt(path);
  const [wrong, setWrong] = useState<string>();
  useOwnProblem(dotted(path), wrong);
  return (
    <FormField path={path} label={label} help={help}>
      {(tie) => (
        <RawJson
          {...tie}
          value={value}
          placeholder="{ }"
          onWrong={setWrong}
          onChange={(next) => store.setOrRemove(path, next)}
        />
      )}
    </FormField>
  );
}
