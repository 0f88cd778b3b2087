/** What the GPUs did while an experiment was measured. */
import { useTranslation } from 'react-i18next';
import { Card } from '@/components/Card';
import { cx } from '@/lib/cx';
import { bytes, duration, number } from '@/lib/format';
import { asFinite, asObject } from './free';

const HEAD = 'border-line border-b py-1.5 pr-4 font-medium';

/** `62 (41–80) %`. */
function span(value: unknown, write: (value: number) => string): string {
  const [mean, min, max] = [asObject(value).mean, asObject(value).min, asObject(value).max].map(asFinite);
  if (mean === null || mean === undefined) return '–';
  if (min == null || max == null) return write(mean);
  return `${write(mean)} (${write(min)} – ${write(max)})`;
}

export function GpuTable({ monitoring }: { monitoring: unknown }) {
  const { t } = useTranslation();
  const whole = asObject(monitoring);
  const gpus = Object.entries(asObject(whole.gpu_stats));
  if (gpus.length === 0) return null;
  return (
    <Card
      title={t('experiments.gpu.title')}
      actions={
        <span className="text-muted text-xs">
          {t('experiments.gpu.samples', {
            count: asFinite(whole.sample_count) ?? 0,
            duration: duration(asFinite(whole.monitoring_duration_seconds)),
          })}
        </span>
      }
    >
      <div className="overflow-x-auto">
        <table className="num w-full text-xs">
          <thead className="text-left text-muted">
            <tr>
              {(['gpu', 'utilization', 'memory', 'temperature', 'power', 'energy'] as const).map((key) => (
                <th key={key} scope="col" className={HEAD}>
                  {t(`experiments.gpu.${key}`)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {gpus.map(([index, value]) => {
              const gpu = asObject(value);
              const energy = asFinite(gpu.energy_j);
              return (
                <tr key={index} className="border-line/60 border-b last:border-0">
                  <th scope="row" className={cx('py-1.5 pr-4 text-left font-medium')}>
                    {index}: {String(gpu.name ?? '')}
                  </th>
                  <td className="py-1.5 pr-4">{span(gpu.utilization, (part) => `${number(part, 3)} %`)}</td>
                  <td className="py-1.5 pr-4">
                    {span(gpu.memory_used_mb, (part) => bytes(part * 1024 * 1024))}
                  </td>
                  <td className="py-1.5 pr-4">
                    {span(gpu.temperature_c, (part) => `${number(part, 3)} °C`)}
                  </td>
                  <td className="py-1.5 pr-4">{span(gpu.power_draw_w, (part) => `${number(part, 3)} W`)}</td>
                  <td className="py-1.5">{energy === null ? '–' : `${number(energy / 3600, 3)} Wh`}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
