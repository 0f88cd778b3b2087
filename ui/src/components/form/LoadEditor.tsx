/** How much is asked at once, or when requests start: each kind of arrivals with its own fields. */
import { Plus, X } from 'lucide-react';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/components/Button';
import { duration } from '@/lib/format';
import {
  ARRIVAL_KINDS,
  type ArrivalKind,
  arrivalKind,
  hasRate,
  NOTHING_ASIDE,
  ratesOf,
  stagedSeconds,
  withArrivalKind,
  writtenRates,
} from './arrival';
import { FormField } from './FormField';
import { NumberAt, NumberBox, SelectBox, TextAt } from './inputs';
import { at, isObject, type Json } from './json';
import { useFieldTexts } from './labels';
import { NumberChips } from './NumberChips';
import { useAt, useDocumentStore } from './store';

const BENCHMARK = ['benchmark'] as const;
const ARRIVAL = ['benchmark', 'arrival'] as const;
const RATE = ['benchmark', 'arrival', 'rate'] as const;
const STAGES = ['benchmark', 'arrival', 'stages'] as const;
const CONCURRENCY = ['benchmark', 'num_concurrency'] as const;

export function LoadEditor() {
  const kind = arrivalKind(useAt(ARRIVAL));
  return (
    <div className="grid items-start gap-x-4 gap-y-4 sm:grid-cols-2">
      <KindOfArrival kind={kind} />
      {kind === 'closed' && <NumberChips path={CONCURRENCY} name="num_concurrency" placeholder="1" />}
      {hasRate(kind) && (
        <div className="grid gap-4">
          <NumberChips path={RATE} name="rate" placeholder="4" read={ratesOf} write={writtenRates} />
          {kind === 'gamma' && <NumberAt path={['benchmark', 'arrival', 'burstiness']} placeholder="1" />}
        </div>
      )}
      {kind === 'stages' && <Stages />}
      {kind === 'trace' && <TextAt path={['benchmark', 'arrival', 'trace']} isMono placeholder="https://…" />}
    </div>
  );
}

function KindOfArrival({ kind }: { kind: string }) {
  const texts = useFieldTexts('arrival');
  const { t } = useTranslation();
  const store = useDocumentStore();
  const aside = useRef(NOTHING_ASIDE);
  const known = ARRIVAL_KINDS.map((value) => ({
    value: value as string,
    label: t(`form.arrival.${value}`),
    hint: t(`form.arrivalHint.${value}`),
  }));
  const options = known.some(({ value }) => value === kind)
    ? known
    : [...known, { value: kind, label: kind }];
  const change = (wanted: string) => {
    const before = store.at(BENCHMARK);
    const next = withArrivalKind(isObject(before) ? before : {}, wanted as ArrivalKind, aside.current);
    aside.current = next.aside;
    store.set(BENCHMARK, next.benchmark);
  };
  return (
    <FormField path={ARRIVAL} label={texts.label} help={t(`form.arrivalHelp.${kind}`, { defaultValue: '' })}>
      {(tie) => <SelectBox tie={tie} label={texts.label} value={kind} options={options} onChange={change} />}
    </FormField>
  );
}

function Stages() {
  const { t } = useTranslation();
  const texts = useFieldTexts('stages');
  const store = useDocumentStore();
  const value = useAt(STAGES);
  const rows: Json[] = Array.isArray(value) ? value : [];
  const whole = stagedSeconds(value);
  const write = (next: Json[]) => store.setOrRemove(STAGES, next.length === 0 ? undefined : next);
  const add = () => {
    const last = rows.at(-1);
    const [rate, seconds] = [at(last, ['rate']), at(last, ['seconds'])];
    write([
      ...rows,
      {
        rate: typeof rate === 'number' && rate > 0 ? rate * 2 : 4,
        seconds: typeof seconds === 'number' ? seconds : 30,
      },
    ]);
  };
  return (
    <FormField path={STAGES} isGroup label={texts.label} help={texts.help}>
      {(_, told) => (
        <div className="space-y-1.5">
          {rows.map((row, index) => {
            const box = (key: 'rate' | 'seconds', unit: string) => (
              <NumberBox
                value={at(row, [key])}
                unit={unit}
                aria-label={t(`form.stage.${key}`, { number: index + 1 })}
                aria-invalid={
                  told.some(
                    ({ path, severity }) =>
                      severity === 'problem' && path === `benchmark.arrival.stages[${index}].${key}`,
                  ) || undefined
                }
                className="min-w-0 flex-1"
                // A row of which a number is being typed anew stays.
                onChange={(next) => store.set([...STAGES, index, key], next ?? '')}
              />
            );
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a stage is its place
              <div key={index} className="flex items-center gap-1.5">
                <span aria-hidden className="num w-4 shrink-0 text-right text-muted text-xs">
                  {index + 1}
                </span>
                {box('rate', 'req/s')}
                {box('seconds', 's')}
                <IconButton
                  icon={X}
                  label={t('form.stage.remove', { number: index + 1 })}
                  onClick={() => write(rows.toSpliced(index, 1))}
                />
              </div>
            );
          })}
          <div className="flex flex-wrap items-center justify-between gap-2">
            <Button size="sm" icon={Plus} kind="ghost" onClick={add}>
              {t('form.stage.add')}
            </Button>
            {whole !== undefined && (
              <span className="num text-muted text-xs">
                {t('form.stage.whole', { time: duration(whole) })}
              </span>
            )}
          </div>
        </div>
      )}
    </FormField>
  );
}
