/** A level as it is called in texts. */
import type { TFunction } from 'i18next';
import { number } from '@/lib/format';
import type { Level } from './read';

/** Under which load a level was measured. */
export function underText(t: TFunction, { concurrency, worth: { schedule } }: Level): string {
  if (!schedule) return t('results.level.at', { concurrency });
  const kind = /^(constant|poisson|gamma)(?:\(([^)]*)\))? at /.exec(schedule.label);
  if (!kind || schedule.rate === null) return schedule.label;
  const name = t(`form.arrival.${kind[1]}`);
  return t('results.level.byClock', {
    kind: kind[2] ? `${name} (${kind[2]})` : name,
    rate: number(schedule.rate),
  });
}

/** A level with its scenario. */
export function levelText(t: TFunction, level: Level): string {
  return `${level.scenario}, ${underText(t, level)}`;
}
