/** Traffic: prompt and answer lengths, put together from numbers or written as text. */
import { Plus, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/components/Button';
import { Input } from '@/components/Input';
import { Select } from '@/components/Select';
import { FormField } from './FormField';
import { asTyped } from './inputs';
import { at, type Json } from './json';
import { indexBelow } from './paths';
import {
  parseScenario,
  SCENARIO_KINDS,
  type Scenario,
  type ScenarioKind,
  toKind,
  usualScenario,
  writeScenario,
} from './scenario';
import { useAt, useDocumentStore } from './store';

const PATH = ['benchmark', 'traffic_scenarios'] as const;
const BENCHMARK = ['benchmark'] as const;

const LABELS: Record<string, string[]> = {
  D: ['prompt', 'answer'],
  N: ['promptMean', 'promptSd', 'answerMean', 'answerSd'],
  U2: ['promptMost', 'answerMost'],
  U: ['promptLeast', 'promptMost', 'answerLeast', 'answerMost'],
  P: ['prefix', 'suffix', 'answer'],
  E: ['embedded'],
  R: ['document', 'query'],
  I: ['width', 'height', 'images', 'answer'],
};
/** Parts of a scenario that may be left out, with what is so then. */
const LEFT_OUT: Record<string, Record<string, string>> = { I: { images: '1', answer: '128' } };

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
            ...SCENARIO_KINDS.map((value) => ({
              value,
              label: t(`form.scenario.kinds.${value}`),
              hint: t(`form.scenario.hints.${value}`),
            })),
            ...(kind === 'text' ? [{ value: 'text' as const, label: t('form.scenario.kinds.text') }] : []),
          ]}
          className="w-36 max-sm:w-full"
        />
        {scenario ? (
          scenario.lengths.map((length, index) => {
            const part = labelsOf(scenario)[index] ?? '';
            const label = t(`form.scenario.${part}`);
            return (
              // biome-ignore lint/a11y/noLabelWithoutControl: the box inside is the control
              // biome-ignore lint/suspicious/noArrayIndexKey: lengths have their place
              <label key={index} className="w-24 text-muted text-xs max-sm:w-[calc(50%-0.25rem)]">
                {label}
                <Input
                  value={length}
                  inputMode="numeric"
                  placeholder={LEFT_OUT[scenario.kind]?.[part]}
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
  const benchmark = useAt(BENCHMARK);
  const hasDataSet = at(benchmark, ['dataset_url']) !== undefined;
  const usual = usualScenario({
    task: at(benchmark, ['task']),
    endpoint: at(benchmark, ['endpoint']),
    hasDataSet,
  });
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
          {rows.length === 0 && (
            <p className="text-muted text-xs">
              {usual === 'dataset' ? t('form.scenario.usualEntries') : t('form.scenario.usual', { usual })}
            </p>
          )}
          <Button
            size="sm"
            icon={Plus}
            kind="ghost"
            onClick={() => write([...rows, /^[DI]/.test(usual) ? 'D(512,128)' : usual])}
          >
            {t('form.scenario.add')}
          </Button>
        </div>
      )}
    </FormField>
  );
}
