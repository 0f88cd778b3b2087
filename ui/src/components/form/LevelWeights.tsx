/** One weight for each level: scenarios down, concurrencies or rates across. */
import { useTranslation } from 'react-i18next';
import { Switch } from '@/components/Toggle';
import { loadsOf } from './arrival';
import { FormField } from './FormField';
import { asTyped, NumberBox } from './inputs';
import type { Json } from './json';
import { useAt, useDocumentStore } from './store';

const PATH = ['benchmark', 'level_weights'] as const;
const SCENARIOS = ['benchmark', 'traffic_scenarios'] as const;
const BENCHMARK = ['benchmark'] as const;

function listAt(value: Json | undefined, usual: Json[]): Json[] {
  return Array.isArray(value) ? value : usual;
}

export function LevelWeights() {
  const { t } = useTranslation();
  const store = useDocumentStore();
  const value = useAt(PATH);
  const scenarios = listAt(useAt(SCENARIOS), ['D(100,100)']);
  const loads = loadsOf(useAt(BENCHMARK));
  const count = scenarios.length * loads.length;
  const weights = Array.isArray(value) ? value : undefined;
  const write = (index: number, weight: Json | undefined) => {
    const all = Array.from({ length: count }, (_, own) => weights?.[own] ?? 1);
    store.set(PATH, all.with(index, weight ?? ''));
  };
  return (
    <FormField path={PATH} isGroup label={t('form.field.level_weights')} hideLabel>
      {() => (
        <div className="space-y-2">
          <Switch
            isOn={weights !== undefined}
            label={t('form.weights.switch')}
            onChange={(isOn) => {
              if (isOn)
                store.set(
                  PATH,
                  Array.from({ length: count }, () => 1),
                );
              else store.remove(PATH);
            }}
          />
          {weights && count <= 60 && (
            <div className="overflow-x-auto">
              <table className="text-xs">
                <caption className="sr-only">{t('form.field.level_weights')}</caption>
                <thead>
                  <tr className="text-muted">
                    <th scope="col" className="py-1 pr-3 text-left font-normal">
                      {t('form.weights.corner')}
                    </th>
                    {loads.map((level, index) => (
                      // biome-ignore lint/suspicious/noArrayIndexKey: levels have their place
                      <th key={index} scope="col" className="num px-1 text-left font-normal">
                        {asTyped(level)}
                      </th>
                    ))}
                  </tr>
                </thead>
                <tbody>
                  {scenarios.map((scenario, row) => (
                    // biome-ignore lint/suspicious/noArrayIndexKey: levels have their place
                    <tr key={row}>
                      <th scope="row" className="py-0.5 pr-3 text-left font-mono font-normal">
                        {asTyped(scenario)}
                      </th>
                      {loads.map((level, column) => {
                        const index = row * loads.length + column;
                        return (
                          // biome-ignore lint/suspicious/noArrayIndexKey: levels have their place
                          <td key={column} className="px-1 py-0.5">
                            <NumberBox
                              value={weights[index]}
                              aria-label={t('form.weights.cell', {
                                scenario: asTyped(scenario),
                                level: asTyped(level),
                              })}
                              className="w-16"
                              onChange={(weight) => write(index, weight)}
                            />
                          </td>
                        );
                      })}
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </div>
      )}
    </FormField>
  );
}
