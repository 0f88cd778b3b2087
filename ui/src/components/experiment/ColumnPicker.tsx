/** Chooses which metrics a list shows. */
import { Popover } from '@base-ui/react/popover';
import { Columns3 } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Button } from '@/components/Button';
import { Checkbox } from '@/components/Toggle';
import { METRICS } from '@/lib/units';

export function ColumnPicker({
  chosen,
  onChange,
}: {
  /** Keys of metrics. */
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}) {
  const { t } = useTranslation();
  const set = (key: string, isOn: boolean) =>
    onChange(
      METRICS.map((metric) => metric.key).filter((each) => (each === key ? isOn : chosen.includes(each))),
    );
  return (
    <Popover.Root>
      <Popover.Trigger render={<Button icon={Columns3}>{t('experiments.columns')}</Button>} />
      <Popover.Portal>
        <Popover.Positioner sideOffset={4} align="end" className="z-50">
          <Popover.Popup className="rounded-lg border border-line bg-raised p-3 shadow-pop outline-none">
            <Popover.Title className="mb-2 font-medium text-muted text-xs">
              {t('experiments.metricColumns')}
            </Popover.Title>
            <div className="flex flex-col gap-1.5">
              {METRICS.map(({ key }) => (
                <Checkbox
                  key={key}
                  isOn={chosen.includes(key)}
                  onChange={(isOn) => set(key, isOn)}
                  label={t(`metrics.${key}`)}
                />
              ))}
            </div>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
