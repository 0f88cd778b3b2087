/** Times of lines, as somebody wants to read them. */
import type { Stamps } from './prefs';

/** Columns that each takes. */
export const STAMP_COLUMNS: Record<Stamps, number> = { off: 0, local: 14, utc: 14, relative: 12 };

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

function milliseconds(value: number): string {
  return String(value).padStart(3, '0');
}

/** The time of a line; `start` is what relative ones are counted from. */
export function stampText(stamp: string, style: Stamps, start: string): string {
  if (stamp === '' || style === 'off') return '';
  if (style === 'utc') return `${stamp.slice(11, 23)}Z`;
  const at = new Date(stamp);
  if (style === 'local')
    return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${milliseconds(at.getMilliseconds())}`;
  const passed = (at.getTime() - new Date(start).getTime()) / 1000;
  const sign = passed < 0 ? '-' : '+';
  const seconds = Math.abs(passed);
  if (seconds < 60) return `${sign}${seconds.toFixed(3)}s`;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = two(Math.floor(seconds % 60));
  return hours > 0 ? `${sign}${hours}h${two(minutes)}m${rest}s` : `${sign}${minutes}m${rest}s`;
}
