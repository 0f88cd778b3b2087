/** Bounds of the service level, a row each. */
import { Plus, X } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button, IconButton } from '@/components/Button';
import { Menu } from '@/components/Menu';
import { Checkbox } from '@/components/Toggle';
import { duration } from '@/lib/format';
import { FormField } from './FormField';
import { NumberBox } from './inputs';
import { at, isObject, type Json, type Path } from './json';
import { boundKeys, freeBounds, PERCENTILES, type SloRow, sloPath, sloRows, usualBound } from './slo';
import { useAt, useDocumentStore } from './store';

/** Where problems of a row are told: of a short form, below its percentile. */
function toldAt({ metric, statistic }: SloRow): Path {
  return statistic === 'mean' ? ['slo', metric] : ['slo', metric, statistic];
}

function Row({ row, hasPenalty }: { row: SloRow; hasPenalty: boolean }) {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const path: Path = ['slo', ...row.path];
  const name = t('form.slo.row', {
    metric: t(`form.slo.metric.${row.metric}`),
    statistic: t(`form.slo.statistic.${row.statistic}`),
  });
  const threshold = at(row.bound, ['threshold']);
  const isHard = at(row.bound, ['hard_fail']) === true;
  const isSet = (key: string) => at(row.bound, [key]) !== undefined;
  const remove = () => {
    const of = store.at(path);
    // Bounds on percentiles that stand beside the mean's stay.
    if (row.path.length === 1 && isObject(of)) {
      const rest = Object.entries(of).filter(([key]) => !boundKeys().includes(key));
      if (rest.length > 0) {
        store.set(path, Object.fromEntries(rest));
        return;
      }
    }
    store.remove(path);
  };
  const number = (key: string, unit?: string, placeholder?: string) => (
    <NumberBox
      value={at(row.bound, [key])}
      unit={unit}
      placeholder={placeholder}
      aria-label={`${name}: ${t(`form.slo.${key}`)}`}
      className="w-24"
      onChange={(value) => {
        // A row whose bound is being typed anew stays.
        if (key === 'threshold') store.set([...path, key], value ?? '');
        else store.setOrRemove([...path, key], value);
      }}
    />
  );
  return (
    <FormField path={toldAt(row)} isGroup label={name} hideLabel>
      {() => (
        <div className="rounded-lg border border-line bg-surface px-2.5 py-1.5">
          <div className="flex items-center gap-2">
            <span className="min-w-0 flex-1 font-medium text-sm">{name}</span>
            <span className="num text-right text-faint text-xs">
              {typeof threshold === 'number' && threshold > 0 && threshold < 1 ? duration(threshold) : ''}
            </span>
            <span aria-hidden className="text-muted">
              ≤
            </span>
            {number('threshold', 's')}
            <IconButton icon={X} label={t('form.removeRow', { row: name })} onClick={remove} />
          </div>
          {(hasPenalty || isSet('weight') || isSet('hard_fail') || isSet('fail_ratio')) && (
            <div className="flex flex-wrap items-center gap-x-4 gap-y-1.5 pt-1 pb-0.5 text-muted text-xs">
              <span className="flex items-center gap-1.5">
                {t('form.slo.weight')} {number('weight', undefined, '1')}
              </span>
              <Checkbox
                isOn={isHard}
                label={t('form.slo.hard_fail')}
                onChange={(isOn) => store.set([...path, 'hard_fail'], isOn)}
              />
              {(isHard || isSet('fail_ratio')) && (
                <span className="flex items-center gap-1.5">
                  {t('form.slo.fail_ratio')} {number('fail_ratio', undefined, '0.5')}
                </span>
              )}
            </div>
          )}
        </div>
      )}
    </FormField>
  );
}

const SLO = ['slo'] as const;

export function SloEditor({ hasPenalty }: { hasPenalty: boolean }) {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const slo = useAt(SLO);
  const rows = sloRows(slo);
  const name = (metric: string, statistic: string) =>
    t('form.slo.row', {
      metric: t(`form.slo.metric.${metric}`),
      statistic: t(`form.slo.statistic.${statistic}`),
    });
  const odd = oddKeys(slo);
  return (
    <div className="space-y-1.5">
      {rows.map((row) => (
        <Row key={`${row.metric} ${row.statistic}`} row={row} hasPenalty={hasPenalty} />
      ))}
      {rows.length === 0 && <p className="text-muted">{t('form.slo.empty')}</p>}
      {odd.length > 0 && <p className="text-muted text-xs">{t('form.slo.odd', { keys: odd.join(', ') })}</p>}
      <Menu
        align="start"
        trigger={
          <Button size="sm" kind="ghost" icon={Plus}>
            {t('form.slo.add')}
          </Button>
        }
        entries={freeBounds(slo).map(({ metric, statistic }, index, all) => ({
          label: name(metric, statistic),
          startsGroup: index > 0 && all[index - 1]?.metric !== metric,
          onSelect: () =>
            store.set(['slo', ...sloPath(metric, statistic), 'threshold'], usualBound(metric) as Json),
        }))}
      />
    </div>
  );
}

/** Keys that have no field here: they stay as they are. */
function oddKeys(slo: Json | undefined): string[] {
  if (!isObject(slo)) return [];
  const known = new Set<string>([...PERCENTILES, ...boundKeys()]);
  return Object.entries(slo).flatMap(([key, value]) => {
    if (['mode', 'steepness'].includes(key)) return [];
    if (!['latency', 'ttft', 'tpot'].includes(key)) return [key];
    return isObject(value)
      ? Object.keys(value)
          .filter((own) => !known.has(own))
          .map((own) => `${key}.${own}`)
      : [];
  });
}
