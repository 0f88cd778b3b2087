/** Traffic: prompt and answer lengths, put together from numbers or written as text. */
import { Plus, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/components/Button';
import { Input } from '@/components/Input';
import { Select } from '@/components/Select';
import { FormField } from './FormField';
import { asTyped } from './inputs';
import type { Json } from './json';
import { indexBelow } from './paths';
import { parseScenario, type Scenario, type ScenarioKind, toKind, writeScenario } from './scenario';
import { useAt, useDocumentStore } from './store';

const PATH = ['benchmark', 'traffic_scenarios'] as const;

const LABELS: Record<string, string[]> = {
  D: ['prompt', 'answer'],
  N: ['promptMean', 'promptSd', 'answerMean', 'answerSd'],
  U2: ['promptMost', 'answerMost'],
  U: ['promptLeast', 'promptMost', 'answerLeast', 'answerMost'],
};

function labelsOf({ kind, lengths }: Scenario): string[] {
  return LABELS[kind === 'U' && lengths.length === 2 ? 'U2' : kind] ?? [];
}

function Row({
  text,
  number,
  isWrong,
  onChange,
  onRemove,
}: {
  text: string;
  number: number;
  isWrong: boolean;
  onChange: (text: string) => void;
  onRemove: () => void;
}) {
  const { t } = useTranslation();
  const scenario = parseScenario(text);
  const kind: ScenarioKind | 'text' = scenario?.kind ?? 'text';
  const change = (next: ScenarioKind | 'text') => {
    if (next === 'text') onChange(`${text} `);
    else onChange(writeScenario(toKind(scenario ?? { kind: 'D', lengths: ['100', '100'] }, next)));
  };
  return (
    <div className="flex items-start gap-1 rounded-lg border border-line bg-surface py-2 pr-1 pl-2">
      <div className="flex min-w-0 flex-1 flex-wrap items-end gap-x-2 gap-y-1.5">
        <Select
          label={t('form.scenario.kind', { number })}
          value={kind}
          onChange={change}
          isInvalid={isWrong}
          options={[
            ...(['D', 'N', 'U'] as const).map((value) => ({
              value,
              label: t(`form.scenario.kinds.${value}`),
            })),
            ...(kind === 'text' ? [{ value: 'text' as const, label: t('form.scenario.kinds.text') }] : []),
          ]}
          className="w-36 max-sm:w-full"
        />
        {scenario ? (
          scenario.lengths.map((length, index) => {
            const label = t(`form.scenario.${labelsOf(scenario)[index]}`);
            return (
              // biome-ignore lint/a11y/noLabelWithoutControl: the box inside is the control
              // biome-ignore lint/suspicious/noArrayIndexKey: lengths have their place
              <label key={index} className="w-24 text-muted text-xs max-sm:w-[calc(50%-0.25rem)]">
                {label}
                <Input
                  value={length}
                  inputMode="numeric"
                  aria-invalid={isWrong || undefined}
                  className="num mt-0.5 block"
                  onChange={({ target }) =>
                    onChange(
                      writeScenario({
                        ...scenario,
                        lengths: scenario.lengths.with(index, target.value.replace(/[(),/\s]/g, '')),
                      }),
                    )
                  }
                />
              </label>
            );
          })
        ) : (
          <Input
            value={text}
            aria-label={t('form.scenario.text', { number })}
            aria-invalid={isWrong || undefined}
            placeholder="D(100,128)"
            spellCheck={false}
            className="min-w-40 flex-1 basis-40 font-mono text-xs"
            onChange={({ target }) => onChange(target.value)}
          />
        )}
        {scenario && (
          <code className="ml-auto whitespace-nowrap font-mono text-faint text-xs leading-8">{text}</code>
        )}
      </div>
      <IconButton icon={X} label={t('form.scenario.remove', { text })} onClick={onRemove} />
    </div>
  );
}

export function ScenarioEditor() {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const value = useAt(PATH);
  const rows: Json[] = Array.isArray(value) ? value : [];
  const write = (next: Json[]) => store.setOrRemove(PATH, next.length === 0 ? undefined : next);
  return (
    <FormField
      path={PATH}
      isGroup
      label={t('form.field.traffic_scenarios')}
      help={t('form.help.traffic_scenarios')}
    >
      {(_, told) => (
        <div className="space-y-1.5">
          {rows.map((row, index) => (
            <Row
              // biome-ignore lint/suspicious/noArrayIndexKey: a scenario may stand there twice
              key={index}
              text={asTyped(row)}
              number={index + 1}
              isWrong={told.some(
                ({ path, severity }) =>
                  severity === 'problem' && indexBelow(path, 'benchmark.traffic_scenarios') === index,
              )}
              onChange={(text) => write(rows.with(index, text))}
              onRemove={() => write(rows.toSpliced(index, 1))}
            />
          ))}
          {rows.length === 0 && <p className="text-muted text-xs">{t('form.scenario.usual')}</p>}
          <Button size="sm" icon={Plus} kind="ghost" onClick={() => write([...rows, 'D(512,128)'])}>
            {t('form.scenario.add')}
          </Button>
        </div>
      )}
    </FormField>
  );
}
