/** The machine: processors, memory and disk; and its GPUs, where it has any. */
import { Thermometer, Zap } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { Badge } from '@/components/Badge';
import { bytes, number, percent } from '@/lib/format';
import { Meter } from './Meter';
import { Sparkline } from './Sparkline';

export interface Host {
  cpus: number;
  cpu_percent?: number | null;
  load_1m?: number | null;
  memory_total_bytes?: number | null;
  memory_used_bytes?: number | null;
  memory_percent?: number | null;
  disk_total_bytes?: number | null;
  disk_free_bytes?: number | null;
}

const share = (value: number | null | undefined) =>
  value === null || value === undefined ? '–' : percent(value / 100, 0);

/** Figures of the last minute, one every five seconds. */
const SLOTS = 13;

/** How much of how much, with the unit once where it is the same. */
export function ofBytes(used: number | null | undefined, total: number | null | undefined): string {
  const [one, other] = [bytes(used), bytes(total)];
  const unit = other.split(' ')[1];
  return unit && one.endsWith(` ${unit}`) ? `${one.split(' ')[0]} / ${other}` : `${one} / ${other}`;
}

export function HostFigures({ host, cpu }: { host: Host; cpu: readonly (number | null)[] }) {
  const { t } = useTranslation();
  const { disk_total_bytes: disk, disk_free_bytes: free } = host;
  const diskUsed = disk && free !== null && free !== undefined ? (1 - free / disk) * 100 : undefined;
  return (
    <div className="space-y-3">
      <Meter
        label={t('dashboard.host.cpu', { count: host.cpus })}
        percent={host.cpu_percent}
        isCalm
        value={
          <>
            {share(host.cpu_percent)}
            {host.load_1m !== null && host.load_1m !== undefined && (
              <span className="text-muted">
                {' '}
                · {t('dashboard.host.load', { load: number(host.load_1m, 3) })}
              </span>
            )}
          </>
        }
      >
        <Sparkline
          values={cpu}
          most={100}
          slots={SLOTS}
          label={t('dashboard.host.cpuTrend')}
          className="mb-1 h-7 w-full"
        />
      </Meter>
      <Meter
        label={t('dashboard.host.memory')}
        percent={host.memory_percent}
        value={ofBytes(host.memory_used_bytes, host.memory_total_bytes)}
      />
      <Meter
        label={t('dashboard.host.disk')}
        percent={diskUsed}
        value={t('dashboard.host.free', { free: bytes(free), total: bytes(disk) })}
      />
    </div>
  );
}

export interface GpuFigures {
  index: number;
  name: string;
  uuid: string;
  memory_total_mb?: number | null;
  memory_used_mb?: number | null;
  memory_usage_percent?: number | null;
  utilization_percent?: number | null;
  temperature_c?: number | null;
  power_w?: number | null;
  power_limit_w?: number | null;
  is_free: boolean;
  obstacle?: string | null;
}

const MIB = 1024 * 1024;

/** One GPU, in little room: eight of them fit on a screen. */
export function GpuFigures({ gpu, used }: { gpu: GpuFigures; used: readonly (number | null)[] }) {
  const { t } = useTranslation();
  const memory = (value: number | null | undefined) =>
    value === null || value === undefined ? value : value * MIB;
  return (
    <section aria-label={`GPU ${gpu.index}`} className="min-w-0">
      <div className="mb-1.5 flex items-center gap-2 text-xs">
        <span className="num font-semibold">GPU {gpu.index}</span>
        <span className="min-w-0 flex-1 truncate text-muted" title={gpu.name}>
          {gpu.name}
        </span>
        <Badge tone={gpu.is_free ? 'good' : 'neutral'}>
          {gpu.is_free ? t('dashboard.gpu.free') : t('dashboard.gpu.busy')}
        </Badge>
      </div>
      <div className="grid grid-cols-2 gap-3">
        <Meter
          label={t('dashboard.gpu.use')}
          percent={gpu.utilization_percent}
          value={share(gpu.utilization_percent)}
          isCalm
        />
        <Meter
          label={t('dashboard.gpu.memory')}
          percent={gpu.memory_usage_percent}
          value={ofBytes(memory(gpu.memory_used_mb), memory(gpu.memory_total_mb))}
          isCalm
        />
      </div>
      <div className="num mt-1 flex items-center gap-3 text-muted text-xs">
        {gpu.temperature_c !== null && gpu.temperature_c !== undefined && (
          <span className={gpu.temperature_c >= 85 ? 'text-warn' : undefined}>
            <Thermometer aria-hidden className="mr-0.5 inline size-3.5 align-[-2px]" />
            <span className="sr-only">{t('dashboard.gpu.temperature')} </span>
            {number(gpu.temperature_c)} °C
          </span>
        )}
        {gpu.power_w !== null && gpu.power_w !== undefined && (
          <span>
            <Zap aria-hidden className="mr-0.5 inline size-3.5 align-[-2px]" />
            <span className="sr-only">{t('dashboard.gpu.power')} </span>
            {number(gpu.power_w, 3)}
            {gpu.power_limit_w ? ` / ${number(gpu.power_limit_w, 3)}` : ''} W
          </span>
        )}
        <Sparkline
          values={used}
          most={100}
          slots={SLOTS}
          label={t('dashboard.gpu.trend', { index: gpu.index })}
          className="ml-auto h-5 w-24"
        />
      </div>
      {gpu.obstacle && <p className="mt-0.5 text-muted text-xs">{gpu.obstacle}</p>}
    </section>
  );
}
