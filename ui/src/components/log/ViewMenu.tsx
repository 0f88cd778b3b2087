/** How a log is looked at: what is left out of it, and how lines are drawn. */
import { SlidersHorizontal } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { IconButton } from '../Button';
import { Popover } from '../Popover';
import { Segmented, Switch } from '../Toggle';
import { type LogPrefs, type Stamps, setLogPrefs } from './prefs';
import type { Find } from './useFind';

export function ViewMenu({ prefs, find, hasTimes }: { prefs: LogPrefs; find: Find; hasTimes: boolean }) {
  const { t } = useTranslation();
  const isPart = find.minLevel > 0 || find.stream !== 'both';
  return (
    <Popover
      title={t('logs.view')}
      trigger={
        <IconButton icon={SlidersHorizontal} label={t('logs.view')} tone={isPart ? 'accent' : 'neutral'} />
      }
    >
      <div className="w-64 max-w-full space-y-3">
        <Part label={t('logs.level')}>
          <Segmented
            label={t('logs.level')}
            value={String(find.minLevel)}
            onChange={(level) => find.setMinLevel(Number(level))}
            options={[
              { value: '0', label: t('logs.all') },
              { value: '2', label: t('logs.levels.info') },
              { value: '3', label: t('logs.levels.warn') },
              { value: '4', label: t('logs.levels.error') },
            ]}
          />
        </Part>
        {hasTimes && (
          <>
            <Part label={t('logs.stream')}>
              <Segmented
                label={t('logs.stream')}
                value={find.stream}
                onChange={find.setStream}
                options={[
                  { value: 'both', label: t('logs.both') },
                  { value: 'stdout', label: 'stdout' },
                  { value: 'stderr', label: 'stderr' },
                ]}
              />
            </Part>
            <Part label={t('logs.times')}>
              <Segmented<Stamps>
                label={t('logs.times')}
                value={prefs.stamps}
                onChange={(stamps) => setLogPrefs({ stamps })}
                options={[
                  { value: 'off', label: t('logs.stamps.off') },
                  { value: 'local', label: t('logs.stamps.local') },
                  { value: 'utc', label: 'UTC' },
                  { value: 'relative', label: t('logs.stamps.relative') },
                ]}
              />
            </Part>
          </>
        )}
        <div className="space-y-2 border-line border-t pt-3">
          <Switch
            label={t('logs.wrap')}
            isOn={prefs.isWrapped}
            onChange={(isWrapped) => setLogPrefs({ isWrapped })}
          />
          <br />
          <Switch
            label={t('logs.numbers')}
            isOn={prefs.hasNumbers}
            onChange={(hasNumbers) => setLogPrefs({ hasNumbers })}
          />
        </div>
      </div>
    </Popover>
  );
}

function Part({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <div className="mb-1 text-muted text-xs">{label}</div>
      {children}
    </div>
  );
}
