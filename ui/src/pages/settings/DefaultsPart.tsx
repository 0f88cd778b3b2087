/** Every option of the service: its value, who set it, and what it is for. */
import { useQuery } from '@tanstack/react-query';
import { Settings2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { type ServiceOption, serviceOptions } from '@/api/queries/settings';
import { Badge } from '@/components/Badge';
import { Button, type Tone } from '@/components/Button';
import { SearchInput } from '@/components/Input';
import { Empty, Failed, SkeletonRows } from '@/components/States';
import { Switch } from '@/components/Toggle';
import { useAddress } from '@/lib/address';

const SOURCES: Record<string, Tone> = {
  default: 'neutral',
  file: 'info',
  environment: 'accent',
  flag: 'info',
};

/** Options that hold every word. */
export function matchingOptions(
  options: readonly ServiceOption[],
  question: string,
  isChangedOnly: boolean,
): ServiceOption[] {
  const words = question.toLowerCase().split(/\s+/).filter(Boolean);
  return options.filter(({ name, value, help, source, set_by }) => {
    if (isChangedOnly && source === 'default') return false;
    const text = `${name} ${value} ${help} ${source} ${set_by}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export function DefaultsPart() {
  const { t } = useTranslation();
  const [address, change] = useAddress();
  const { data, error, isPending, refetch } = useQuery(serviceOptions);
  const isChangedOnly = address.changed === 'only';
  const shown = matchingOptions(data ?? [], address.q ?? '', isChangedOnly);
  return (
    <section className="card min-w-0">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-line border-b px-4 py-2.5">
        <SearchInput
          value={address.q ?? ''}
          onChange={(q) => change({ q })}
          label={t('settings.defaults.search')}
          className="w-full sm:w-72"
        />
        <Switch
          isOn={isChangedOnly}
          onChange={(isOn) => change({ changed: isOn ? 'only' : undefined })}
          label={<span className="text-xs">{t('settings.defaults.changedOnly')}</span>}
        />
      </div>
      {isPending ? (
        <SkeletonRows rows={8} />
      ) : error && !data ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : shown.length === 0 ? (
        <Empty icon={Settings2} title={t('list.nothingFound')}>
          <Button onClick={() => change({ q: undefined, changed: undefined })}>
            {t('list.clearFilters')}
          </Button>
        </Empty>
      ) : (
        <ul className="divide-y divide-line">
          {shown.map((option) => (
            <Option key={option.name} option={option} />
          ))}
        </ul>
      )}
      {data && (
        <p className="border-line border-t px-4 py-2.5 text-muted text-xs">{t('settings.defaults.where')}</p>
      )}
    </section>
  );
}

/** Words between backticks, as what is typed. */
function withCode(text: string): ReactNode {
  return text.split('`').map((part, index) =>
    index % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: a text has no other names for its parts
      <code key={index} className="rounded bg-sunken px-1 font-mono text-2xs">
        {part}
      </code>
    ) : (
      part
    ),
  );
}

function Option({ option: { name, value, source, set_by, help } }: { option: ServiceOption }) {
  const { t } = useTranslation();
  return (
    <li className="grid gap-x-4 gap-y-1 px-4 py-2.5 sm:grid-cols-[minmax(0,5fr)_minmax(0,4fr)]">
      <div className="min-w-0">
        <div className="font-medium font-mono text-xs">{name}</div>
        <p className="text-muted text-xs">{withCode(help)}</p>
      </div>
      <div className="flex min-w-0 flex-wrap items-start gap-x-2 gap-y-1 sm:justify-end">
        <code className="min-w-0 break-all text-right font-mono text-xs">{value === '' ? '–' : value}</code>
        <Badge tone={SOURCES[source] ?? 'neutral'}>
          {t(`settings.defaults.source.${source}`, { defaultValue: source })}
        </Badge>
        {source !== 'default' && (
          <span className="basis-full break-all text-2xs text-muted sm:text-right">{set_by}</span>
        )}
      </div>
    </li>
  );
}
