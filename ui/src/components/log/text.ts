/** What a raw line looks like: without what terminals are told, and as coloured pieces. */
import Anser from 'anser';

/** Characters of one line that are shown; the rest is in the copy and in the download. */
export const MOST_SHOWN = 16_000;

const NOT_COLOUR =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /\x1b(?:\[[0-9;?]*[ -/]*[@-ln-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()][A-Z0-9]|[=>78cDEHMZ])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const COLOUR = /\x1b\[[0-9;:]*m/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/g;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const COLON_COLOUR = /\x1b\[[0-9;]*:[0-9;:]*m/g;

/** Pieces of one line that are coloured; what follows is shown without. */
const MOST_PIECES = 100;

/** The last state of a line that was written over itself, as progress bars are. */
export function folded(raw: string): string {
  if (!raw.includes('\r')) return raw;
  let end = raw.length;
  while (end > 0 && raw.charCodeAt(end - 1) === 13) end -= 1;
  return raw.slice(raw.lastIndexOf('\r', end - 1) + 1, end);
}

/** The line as text: folded, without colours and commands to a terminal. */
export function plainText(raw: string): string {
  const text = folded(raw);
  return text.includes('\x1b') ? text.replace(NOT_COLOUR, '').replace(COLOUR, '') : text;
}

export interface Piece {
  text: string;
  className?: string;
  color?: string;
  background?: string;
}

/** The sixteen colours, in those of the theme, so that they can be read on both. */
const FOREGROUND: Record<string, string> = {
  'ansi-black': 'text-faint',
  'ansi-red': 'text-bad',
  'ansi-green': 'text-good',
  'ansi-yellow': 'text-warn',
  'ansi-blue': 'text-info',
  'ansi-magenta': 'text-accent',
  'ansi-cyan': 'text-info',
  'ansi-white': 'text-fg',
  'ansi-bright-black': 'text-faint',
  'ansi-bright-red': 'text-bad',
  'ansi-bright-green': 'text-good',
  'ansi-bright-yellow': 'text-warn',
  'ansi-bright-blue': 'text-info',
  'ansi-bright-magenta': 'text-accent',
  'ansi-bright-cyan': 'text-info',
  'ansi-bright-white': 'text-fg',
};

const BACKGROUND: Record<string, string> = {
  'ansi-black': 'bg-sunken',
  'ansi-red': 'bg-bad-soft',
  'ansi-green': 'bg-good-soft',
  'ansi-yellow': 'bg-warn-soft',
  'ansi-blue': 'bg-info-soft',
  'ansi-magenta': 'bg-accent-soft',
  'ansi-cyan': 'bg-info-soft',
  'ansi-white': 'bg-line',
};

const DECORATION: Record<string, string> = {
  bold: 'font-semibold',
  dim: 'text-faint',
  italic: 'italic',
  underline: 'underline',
  strikethrough: 'line-through',
  reverse: 'bg-fg text-bg',
  hidden: 'opacity-0',
};

/** Control characters as pictures, so that nothing is invisible. */
function visible(text: string): string {
  return text.replace(CONTROL, (char) =>
    char === '\x7f' ? '\u2421' : String.fromCharCode(0x2400 + char.charCodeAt(0)),
  );
}

/** Colours that programs chose freely are drawn towards the text's, so that they stay legible. */
function legible(rgb: string): string {
  return `color-mix(in oklch, rgb(${rgb}) 72%, var(--fg))`;
}

/** One of the 256 colours as red, green and blue. */
export function paletteColour(index: number): string {
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return `${grey}, ${grey}, ${grey}`;
  }
  const level = (step: number) => (step === 0 ? 0 : 55 + step * 40);
  const cube = index - 16;
  return `${level(Math.floor(cube / 36))}, ${level(Math.floor(cube / 6) % 6)}, ${level(cube % 6)}`;
}

function colourOf(name: string | null, truecolour: string | null): string | undefined {
  if (name === 'ansi-truecolor' && truecolour) return truecolour;
  const index = name?.match(/^ansi-palette-(\d+)$/)?.[1];
  return index === undefined ? undefined : paletteColour(Number(index));
}

/** A line as pieces to be shown, with what was left out of it. */
export function pieces(raw: string): { pieces: Piece[]; left: number } {
  const whole = folded(raw);
  const left = Math.max(0, whole.length - MOST_SHOWN);
  const text = left > 0 ? whole.slice(0, MOST_SHOWN) : whole;
  if (!text.includes('\x1b')) return { pieces: [{ text: visible(text) }], left };
  const bare = text.replace(NOT_COLOUR, '').replace(COLON_COLOUR, '');
  const found = Anser.ansiToJson(bare, { json: true, use_classes: true, remove_empty: true });
  const rest = found.splice(MOST_PIECES);
  return {
    left,
    pieces: [
      ...found,
      ...rest
        .slice(0, 1)
        .map((entry) => ({ ...entry, content: rest.map(({ content }) => content).join('') })),
    ].map((entry): Piece => {
      const piece: Piece = { text: visible(entry.content.replace(COLOUR, '').replaceAll('\x1b', '\u241b')) };
      const color = colourOf(entry.fg, entry.fg_truecolor);
      const background = colourOf(entry.bg, entry.bg_truecolor);
      // What is turned round without a colour of its own comes as black on white.
      const isReversed = entry.decorations.includes('reverse') || /white$/.test(entry.bg ?? '');
      const names = [
        ...entry.decorations.map((name) => DECORATION[name]),
        isReversed && DECORATION.reverse,
        // What is dimmed or turned round keeps the colour of that.
        !isReversed && !entry.decorations.includes('dim') && FOREGROUND[entry.fg ?? ''],
        !isReversed && BACKGROUND[(entry.bg ?? '').replace('bright-', '')],
      ].filter(Boolean);
      if (names.length > 0) piece.className = names.join(' ');
      if (color) piece.color = legible(color);
      if (background) piece.background = `color-mix(in oklch, rgb(${background}) 45%, var(--bg))`;
      return piece;
    }),
  };
}

/** A stretch of a line that matches, by its characters. */
export type Range = readonly [from: number, to: number];

export interface MarkedPiece extends Piece {
  isHit: boolean;
}

/** Cuts pieces where matches begin and end. */
export function withHits(list: readonly Piece[], ranges: readonly Range[]): MarkedPiece[] {
  const out: MarkedPiece[] = [];
  let at = 0;
  let next = 0;
  for (const piece of list) {
    const end = at + piece.text.length;
    let from = at;
    while (from < end) {
      while (next < ranges.length && (ranges[next]?.[1] ?? 0) <= from) next += 1;
      const range = ranges[next];
      const isHit = range !== undefined && range[0] <= from;
      const to = Math.min(end, range === undefined ? end : isHit ? range[1] : range[0]);
      out.push({ ...piece, text: piece.text.slice(from - at, to - at), isHit });
      from = to;
    }
    at = end;
  }
  return out;
}

/** How many columns a line takes at most where it is wrapped; never less than it does. */
export function columnsOf(raw: string): number {
  const text =
    raw.length > MOST_SHOWN * 4 || raw.includes('\x1b') || raw.includes('\r') ? plainText(raw) : raw;
  const cut = text.length > MOST_SHOWN ? text.slice(0, MOST_SHOWN) : text;
  const more = text.length > MOST_SHOWN ? 24 : 0;
  if (/^[ -~]*$/.test(cut)) return cut.length + more;
  let columns = more;
  for (const char of cut) {
    const code = char.codePointAt(0) ?? 0;
    columns += code === 9 ? 8 : code < 0x7f ? 1 : code < 0x1100 ? 2 : 3;
  }
  return columns;
}
