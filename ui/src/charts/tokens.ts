/**
 * The colours of the page as charts need them: they draw on a canvas, which reads no stylesheet.
 * They are read again when the theme changes.
 */
import { useMemo } from 'react';
import { useTheme } from '@/lib/theme';

const NAMES = [
  'bg',
  'surface',
  'raised',
  'sunken',
  'line',
  'line-strong',
  'fg',
  'muted',
  'faint',
  'accent',
  'accent-soft',
  'good',
  'good-soft',
  'bad',
  'bad-soft',
  'warn',
  'warn-soft',
  'info',
  'info-soft',
] as const;

export type TokenName = (typeof NAMES)[number];

export interface Tokens extends Record<TokenName, string> {
  isDark: boolean;
  /** The typeface of the page. */
  font: string;
  /** Colours to tell series apart, of similar weight, also for those who do not see all colours. */
  series: readonly string[];
}

const SERIES_LIGHT = ['#4f46e5', '#c2570c', '#0f766e', '#be185d', '#0369a1', '#7c5c00', '#6d28d9', '#3f6212'];
const SERIES_DARK = ['#a5b4fc', '#fb9a4b', '#4fd1c0', '#f48fbe', '#6cc4f5', '#e3c04f', '#c9a8fb', '#a8d163'];

/** Any colour of CSS as `#rrggbb`, which is what the chart library understands. */
function asHex(color: string, context: CanvasRenderingContext2D | null): string {
  if (!context || color === '') return color;
  context.clearRect(0, 0, 1, 1);
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function context(): CanvasRenderingContext2D | null {
  try {
    const canvas = document.createElement('canvas');
    canvas.width = 1;
    canvas.height = 1;
    return canvas.getContext('2d', { willReadFrequently: true });
  } catch {
    return null;
  }
}

/** Whether there is anything to draw on: a document without a screen has nothing. */
export function canPaint(): boolean {
  return context() !== null;
}

/** The colours as they are now. */
export function readTokens(): Tokens {
  const style = getComputedStyle(document.documentElement);
  const painter = context();
  const isDark = document.documentElement.dataset.theme === 'dark';
  const colors = Object.fromEntries(
    NAMES.map((name) => [name, asHex(style.getPropertyValue(`--${name}`).trim(), painter)]),
  ) as Record<TokenName, string>;
  return {
    ...colors,
    isDark,
    font: getComputedStyle(document.body).fontFamily || 'sans-serif',
    series: isDark ? SERIES_DARK : SERIES_LIGHT,
  };
}

/** The colours, for option builders: they change with the theme. */
export function useTokens(): Tokens {
  const { isDark } = useTheme();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are those of the theme
  return useMemo(() => readTokens(), [isDark]);
}

/** A colour of six digits, seen through. */
export function withAlpha(hex: string, alpha: number): string {
  if (!/^#[0-9a-f]{6}$/i.test(hex)) return hex;
  return `${hex}${Math.round(alpha * 255)
    .toString(16)
    .padStart(2, '0')}`;
}
