/** The search space of a task. */
import { useTranslation } from 'react-i18next';
import { number } from '@/lib/format';
import { spaceOf } from './document';

export function SpaceTable({ parameters }: { parameters: unknown }) {
  const { t } = useTranslation();
  const rows = spaceOf(parameters);
  if (rows.length === 0) return <p className="p-4 text-muted">{t('tasks.config.noParameters')}</p>;
  return (
    <table className="w-full text-sm">
      <caption className="sr-only">{t('tasks.config.parameters')}</caption>
      <thead>
        <tr className="border-line border-b text-left text-muted text-xs">
          <th scope="col" className="py-2 pr-3 pl-4 font-medium">
            {t('tasks.config.name')}
          </th>
          <th scope="col" className="px-3 py-2 font-medium">
            {t('tasks.config.values')}
          </th>
          <th scope="col" className="whitespace-nowrap py-2 pr-4 pl-3 text-right font-medium">
            {t('tasks.config.count')}
          </th>
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {rows.map(({ name, kind, text, count, isLog, when }) => (
          <tr key={name} className="align-baseline">
            <th scope="row" className="break-words py-2 pr-3 pl-4 text-left font-mono font-normal text-xs">
              {name}
            </th>
            <td className="break-words px-3 py-2">
              <span className="num">{text}</span>
              {(kind === 'integer' || kind === 'continuous') && (
                <span className="ml-2 whitespace-nowrap text-muted text-xs">
                  {t(`tasks.config.kind.${kind}`)}
                  {isLog && ` · ${t('tasks.config.log')}`}
                </span>
              )}
              {when !== undefined && (
                <span className="mt-0.5 block text-muted text-xs">
                  {t('tasks.config.when')} <code className="font-mono">{when}</code>
                </span>
              )}
            </td>
            <td className="num py-2 pr-4 pl-3 text-right text-muted">
              {count === undefined ? '∞' : number(count, 9)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
