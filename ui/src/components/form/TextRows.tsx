/** A list of texts, one a row: constraints, arguments. */
import { Plus, X } from 'lucide-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/components/Button';
import { Input } from '@/components/Input';
import { FormField, ToldList } from './FormField';
import { asTyped } from './inputs';
import type { Json, Path } from './json';
import { dotted, indexBelow } from './paths';
import { useAt, useDocumentStore } from './store';

export function TextRows({
  path,
  label,
  help,
  itemLabel,
  placeholder,
  addLabel,
}: {
  path: Path;
  label: string;
  help?: string;
  /** The name of a row, by its number from 1. */
  itemLabel: (number: number) => string;
  placeholder?: string;
  addLabel: string;
}) {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const value = useAt(path);
  const list = useRef<HTMLDivElement>(null);
  const rows: Json[] = Array.isArray(value) ? value : [];
  const field = dotted(path);
  const write = (next: Json[]) => store.setOrRemove(path, next.length === 0 ? undefined : next);
  const add = () => {
    write([...rows, '']);
    requestAnimationFrame(() => [...(list.current?.querySelectorAll('input') ?? [])].at(-1)?.focus());
  };
  return (
    <FormField path={path} label={label} help={help} isGroup>
      {(_, told) => (
        <div ref={list} className="space-y-1.5">
          {rows.map((row, index) => {
            const own = told.filter(({ path }) => indexBelow(path, field) === index);
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows are texts that may be the same
              <div key={index}>
                <div className="flex items-center gap-1">
                  <Input
                    value={asTyped(row)}
                    aria-label={itemLabel(index + 1)}
                    aria-invalid={own.some(({ severity }) => severity === 'problem') || undefined}
                    placeholder={placeholder}
                    spellCheck={false}
                    autoComplete="off"
                    className="font-mono text-xs"
                    onChange={({ target }) => write(rows.with(index, target.value))}
                    onKeyDown={(event) => {
                      if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
                        event.preventDefault();
                        add();
                      }
                    }}
                  />
                  <IconButton
                    icon={X}
                    label={t('form.removeRow', { row: itemLabel(index + 1) })}
                    onClick={() => write(rows.toSpliced(index, 1))}
                  />
                </div>
                {told.length > 1 && <ToldList told={own} />}
              </div>
            );
          })}
          <Button size="sm" icon={Plus} kind="ghost" onClick={add}>
            {addLabel}
          </Button>
        </div>
      )}
    </FormField>
  );
}
