/** The best configuration, against the engine's defaults and all that was tried. */
import { useTranslation } from 'react-i18next';
import type { Experiment } from '@/api/queries/experiments';
import { CopyButton } from '@/components/Copy';
import { asFinite } from '@/components/experiment/free';
import { differences, parametersAsText } from '@/components/experiment/parameters';
import { cx } from '@/lib/cx';
import { number, setting } from '@/lib/format';
import type { Results } from './useResults';

/** Values that were tried: all of them, or from which to which. */
export function triedText(values: readonly unknown[]): string {
  const known = values.filter((value) => value !== undefined);
  const numbers = known.map(asFinite);
  const distinct = [...new Set(known.map(setting))];
  if (numbers.length > 0 && numbers.every((value) => value !== null)) {
    const sorted = [...new Set(numbers)].sort((a, b) => a - b);
    const [low, high] = [sorted[0], sorted.at(-1)];
    if (sorted.length > 6 && low !== undefined && high !== undefined)
      return `${number(low)} … ${number(high)}`;
    return sorted.map((value) => setting(value)).join(', ');
  }
  return distinct.length > 6 ? `${distinct.slice(0, 6).join(', ')}, …` : distinct.join(', ');
}

export function BestParameters({ results, best }: { results: Results; best: Experiment }) {
  const { t } = useTranslation();
  const { baseline, experiments } = results;
  if (Object.keys(best.parameters).length === 0)
    return (
      <div className="min-w-0 self-start rounded-lg bg-sunken p-4 text-muted">
        {t('results.defaultsAreBest')}
      </div>
    );
  const rows = differences([best.parameters, baseline?.parameters ?? {}]);
  return (
    <div className="min-w-0">
      <div className="mb-1 flex items-center justify-between">
        <h3 className="font-semibold text-sm">{t('results.bestConfiguration')}</h3>
        <CopyButton text={parametersAsText(best.parameters)} label={t('results.copyParameters')} />
      </div>
      <div className="overflow-x-auto">
        <table className="w-full text-xs">
          <thead className="text-left text-muted">
            <tr>
              <th scope="col" className="border-line border-b py-1.5 pr-3 font-medium">
                {t('results.parameter')}
              </th>
              <th scope="col" className="border-line border-b py-1.5 pr-3 font-medium">
                {t('results.value')}
              </th>
              <th scope="col" className="border-line border-b py-1.5 pr-3 font-medium">
                {t('results.default')}
              </th>
              <th scope="col" className="hidden border-line border-b py-1.5 font-medium sm:table-cell">
                {t('results.tried')}
              </th>
            </tr>
          </thead>
          <tbody className="font-mono">
            {rows.map(({ name, values: [value, initial], isDifferent }) => (
              <tr key={name} className="border-line/60 border-b last:border-0">
                <th scope="row" className="py-1.5 pr-3 text-left font-normal text-muted break-all">
                  {name}
                </th>
                <td className={cx('py-1.5 pr-3 break-all', isDifferent && 'font-semibold text-fg')}>
                  {value === undefined ? '–' : setting(value)}
                </td>
                <td className="py-1.5 pr-3 font-sans text-muted">
                  {initial === undefined ? t('results.engineDefault') : setting(initial)}
                </td>
                <td className="hidden py-1.5 text-muted break-words sm:table-cell">
                  {triedText(experiments.map((each) => each.parameters[name]))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
