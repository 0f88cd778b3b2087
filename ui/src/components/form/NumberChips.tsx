/** A list of numbers at a place of the document, each of them a level of load. */
import type { ReactNode } from 'react';
import { Chips } from './Chips';
import { FormField } from './FormField';
import type { Json, Path } from './json';
import { useFieldTexts } from './labels';
import { dotted, indexBelow } from './paths';
import { useAt, useDocumentStore } from './store';

export function NumberChips({
  path,
  name,
  help,
  placeholder,
  read = listed,
  write = (values) => (values.length === 0 ? undefined : values),
  className,
}: {
  path: Path;
  /** Its name in the locales. */
  name: string;
  help?: ReactNode;
  placeholder?: string;
  read?: (value: Json | undefined) => Json[];
  write?: (values: Json[], before: Json | undefined) => Json | undefined;
  className?: string;
}) {
  const texts = useFieldTexts(name);
  const store = useDocumentStore();
  const value = useAt(path);
  return (
    <FormField path={path} label={texts.label} help={help ?? texts.help} className={className}>
      {(tie, told) => (
        <Chips
          {...tie}
          label={texts.label}
          placeholder={placeholder}
          values={read(value)}
          wrong={
            new Set(
              told
                .map(({ path: own }) => indexBelow(own, dotted(path)))
                .filter((index) => index !== undefined),
            )
          }
          onChange={(next) => store.setOrRemove(path, write(next, value))}
        />
      )}
    </FormField>
  );
}

function listed(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}
