/** Controls that show and change one place of the document. */
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Input, Textarea } from '@/components/Input';
import { type Option, Select } from '@/components/Select';
import { Switch } from '@/components/Toggle';
import { cx } from '@/lib/cx';
import { modernWord } from './aliases';
import { FormField, type Tie } from './FormField';
import type { Json, Path } from './json';
import { useFieldTexts } from './labels';
import { dotted } from './paths';
import { useAt, useDocumentStore } from './store';
import { numberOf } from './values';

export interface AtProps {
  path: Path;
  /** Its name in the locales; the last step of the place where none is given. */
  name?: string;
  help?: ReactNode;
  placeholder?: string;
  isRequired?: boolean;
  className?: string;
}

function nameOf({ path, name }: AtProps): string {
  return name ?? String(path.at(-1));
}

/** What stands at a place, as text in a field. */
export function asTyped(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A text. What is optional goes from the document when it is emptied. */
export function TextAt(
  props: AtProps & { isLong?: boolean; isMono?: boolean; onText?: (text: string) => void },
) {
  const { path, help, placeholder, isRequired, className, isLong = false, isMono = false, onText } = props;
  const texts = useFieldTexts(nameOf(props));
  const store = useDocumentStore();
  const value = useAt(path);
  const Control = isLong ? Textarea : Input;
  return (
    <FormField
      path={path}
      label={texts.label}
      help={help ?? texts.help}
      isRequired={isRequired}
      className={className}
    >
      {(tie) => (
        <Control
          {...tie}
          value={asTyped(value)}
          placeholder={placeholder}
          required={isRequired}
          spellCheck={isLong}
          autoComplete="off"
          className={isMono ? 'font-mono' : undefined}
          onChange={({ target }: { target: { value: string } }) => {
            if (onText) onText(target.value);
            else store.setOrRemove(path, target.value === '' && !isRequired ? undefined : target.value);
          }}
        />
      )}
    </FormField>
  );
}

/** A field for a number. What is typed and is none stays text, and the check says so. */
export function NumberBox({
  value,
  onChange,
  unit,
  className,
  placeholder,
  ...tie
}: {
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  unit?: string;
  placeholder?: string;
  className?: string;
  id?: string;
  'aria-label'?: string;
  'aria-invalid'?: boolean | undefined;
  'aria-describedby'?: string | undefined;
}) {
  // While somebody types, `1.` and `1e` stay as they are typed.
  const [typed, setTyped] = useState<string>();
  return (
    <div className={cx('relative', className)}>
      <Input
        {...tie}
        value={typed ?? asTyped(value)}
        inputMode="decimal"
        autoComplete="off"
        placeholder={placeholder}
        className={cx('num', unit && 'pr-10')}
        onChange={({ target }) => {
          setTyped(target.value);
          const text = target.value.trim();
          onChange(text === '' ? undefined : (numberOf(text) ?? text));
        }}
        onBlur={() => setTyped(undefined)}
      />
      {unit && (
        <span
          aria-hidden
          className="pointer-events-none absolute top-1.5 right-3 text-muted text-xs leading-5"
        >
          {unit}
        </span>
      )}
    </div>
  );
}

export function NumberAt(props: AtProps & { unit?: string }) {
  const { path, help, placeholder, isRequired, className, unit } = props;
  const texts = useFieldTexts(nameOf(props));
  const store = useDocumentStore();
  const value = useAt(path);
  return (
    <FormField
      path={path}
      label={texts.label}
      help={help ?? texts.help}
      isRequired={isRequired}
      className={className}
    >
      {(tie) => (
        <NumberBox
          {...tie}
          value={value}
          unit={unit}
          placeholder={placeholder}
          onChange={(next) => store.setOrRemove(path, next)}
        />
      )}
    </FormField>
  );
}

const ABSENT = '';

/** One of several words, tied to its field; tells of another than it shows. */
export function SelectBox({
  tie,
  label,
  value,
  options,
  onChange,
}: {
  tie: Tie;
  label: string;
  value: string;
  options: readonly Option<string>[];
  onChange: (word: string) => void;
}) {
  return (
    <Select
      id={tie.id}
      aria-describedby={tie['aria-describedby']}
      isInvalid={Boolean(tie['aria-invalid'])}
      label={label}
      value={value}
      options={options}
      className="w-full"
      onChange={(next) => {
        if (next !== value) onChange(next);
      }}
    />
  );
}

/** One of several words. A word that is none of them is shown as it is, until another is chosen. */
export function SelectAt(
  props: AtProps & {
    options: readonly Option<string>[];
    /** What it means to say nothing; where it is left out, something has to be chosen. */
    absent?: string;
    onWord?: (word: string) => void;
  },
) {
  const { path, help, isRequired, className, options, absent, onWord } = props;
  const { t } = useTranslation();
  const texts = useFieldTexts(nameOf(props));
  const store = useDocumentStore();
  const value = useAt(path);
  const word = value === undefined || value === null ? ABSENT : modernWord(dotted(path), asTyped(value));
  const shown: Option<string>[] = [
    ...(absent === undefined ? [] : [{ value: ABSENT, label: t('form.default', { value: absent }) }]),
    ...options,
  ];
  if (!shown.some((option) => option.value === word))
    shown.push({ value: word, label: word === ABSENT ? t('form.choose') : word });
  return (
    <FormField
      path={path}
      label={texts.label}
      help={help ?? texts.help}
      isRequired={isRequired}
      className={className}
    >
      {(tie) => (
        <SelectBox
          tie={tie}
          label={texts.label}
          value={word}
          options={shown}
          onChange={(next) => {
            if (onWord) onWord(next);
            else store.setOrRemove(path, next === ABSENT ? undefined : next);
          }}
        />
      )}
    </FormField>
  );
}

/** On or off; what is absent shows as its default. */
export function SwitchAt(props: AtProps & { whenAbsent: boolean }) {
  const { path, help, className, whenAbsent } = props;
  const texts = useFieldTexts(nameOf(props));
  const store = useDocumentStore();
  const value = useAt(path);
  return (
    <FormField path={path} help={help ?? texts.help} className={className}>
      {(tie) => (
        <Switch
          id={tie.id}
          isOn={typeof value === 'boolean' ? value : whenAbsent}
          onChange={(isOn) => store.set(path, isOn)}
          label={texts.label}
        />
      )}
    </FormField>
  );
}
