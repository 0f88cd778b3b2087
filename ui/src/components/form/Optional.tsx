/** A part of the document that is there or not, with fields of its own while it is. */
import { type ReactNode, useRef } from 'react';
import { Switch } from '@/components/Toggle';
import { FormField } from './FormField';
import type { Json, Path } from './json';
import { useFieldTexts } from './labels';
import { useAt, useDocumentStore } from './store';

export function Optional({
  path,
  first,
  children,
}: {
  path: Path;
  /** What it begins with. */
  first: Json;
  children: ReactNode;
}) {
  const texts = useFieldTexts(String(path.at(-1)));
  const store = useDocumentStore();
  const value = useAt(path);
  // Whoever switches it off and on again finds what was there.
  const before = useRef<Json>(first);
  const isOn = value !== undefined && value !== null;
  return (
    <FormField path={path}>
      {(tie) => (
        <div className="space-y-2.5">
          <Switch
            id={tie.id}
            isOn={isOn}
            label={texts.label}
            onChange={(wanted) => {
              if (wanted) store.set(path, before.current);
              else {
                if (isOn) before.current = value;
                store.remove(path);
              }
            }}
          />
          {texts.help && <p className="-mt-1.5 pl-11 text-muted text-xs">{texts.help}</p>}
          {isOn && (
            <div className="grid gap-x-4 gap-y-4 border-line border-l-2 pl-4 sm:grid-cols-2 xl:grid-cols-3">
              {children}
            </div>
          )}
        </div>
      )}
    </FormField>
  );
}
