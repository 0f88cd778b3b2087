/** The name of a row: taken over when it is left, and not where another row has it. */
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Suggest, type Suggestion } from '@/components/Suggest';

export function NameBox({
  name,
  onRename,
  isTaken,
  suggestions = [],
  label,
  id,
  className,
  ...tie
}: {
  name: string;
  onRename: (name: string) => void;
  isTaken: (name: string) => boolean;
  suggestions?: readonly Suggestion[];
  label: string;
  id?: string;
  className?: string;
  'aria-invalid'?: boolean | undefined;
  'aria-describedby'?: string | undefined;
}) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState<string>();
  const [refused, setRefused] = useState<string>();
  const take = (text: string) => {
    const wanted = text.trim();
    setTyped(undefined);
    if (wanted === '' || wanted === name) return;
    if (isTaken(wanted)) setRefused(wanted);
    else onRename(wanted);
  };
  return (
    <>
      <Suggest
        {...tie}
        id={id}
        value={typed ?? name}
        label={label}
        suggestions={typed === undefined ? [] : suggestions}
        className={`font-mono text-xs ${className ?? ''}`}
        onChange={(text) => {
          setTyped(text);
          setRefused(undefined);
        }}
        onPick={take}
        onLeave={() => typed !== undefined && take(typed)}
      />
      {refused !== undefined && (
        <p role="alert" className="mt-1 text-bad text-xs">
          {t('form.nameTaken', { name: refused })}
        </p>
      )}
    </>
  );
}
