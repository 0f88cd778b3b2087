/** How grave a line is, told by what programs usually begin their lines with. */

export const LEVELS = ['none', 'debug', 'info', 'warn', 'error'] as const;
export type Level = (typeof LEVELS)[number];

/** As numbers, by which they are kept and compared. */
export const NONE = 0;
export const DEBUG = 1;
export const INFO = 2;
export const WARN = 3;
export const ERROR = 4;

const WORDS: Record<string, number> = {
  trace: DEBUG,
  debug: DEBUG,
  verbose: DEBUG,
  info: INFO,
  notice: INFO,
  warn: WARN,
  warning: WARN,
  error: ERROR,
  err: ERROR,
  fatal: ERROR,
  critical: ERROR,
  panic: ERROR,
};

/** By the letters of glog, llama.cpp and TensorRT-LLM. */
const LETTERS: Record<string, number> = {
  T: DEBUG,
  D: DEBUG,
  V: DEBUG,
  I: INFO,
  W: WARN,
  E: ERROR,
  F: ERROR,
};

/** Where a level stands that is one: at the beginning of a line, give or take a time and a name. */
const HEAD = 160;

const ANY_WORD = 'TRACE|DEBUG|VERBOSE|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL|PANIC';
const UPPER = new RegExp(`(?:^|[\\s\\[(|<:"'-])(${ANY_WORD})(?=$|[\\s\\])|>:,"'=-])`);
const BRACKET = /\[(trace|debug|verbose|info|notice|warn|warning|error|err|fatal|critical|panic)\]/i;
const KEYED =
  /["']?\b(?:level|lvl|severity|levelname|log\.level)["']?\s*[:=]\s*["']?(trace|debug|verbose|info|notice|warning|warn|error|err|fatal|critical|panic)\b/i;
const GLOG = /^([IWEFD])\d{4} \d\d:\d\d:\d\d/;
const TRT = /^(?:\[[^\]]*\]\s*)*\[([TDVIWEF])\]/;
const LLAMA = /^\d+\.\d\d\.\d{3}\.\d{3} ([DIWE]) /;
const FAILURE =
  /^(?:[\w.]+(?:Error|Exception|Interrupt)\b|Traceback \(most recent call last\)|thread '.*' panicked at|panic:|Caused by:|CUDA error|Segmentation fault|Killed$)|CUDA out of memory|OutOfMemoryError/;
const CONTINUES = /^(?:\s|$|at |\.\.\.)/;

/** The level that a line says it has; `NONE` where it says nothing. Takes it without colours. */
export function levelOf(text: string): number {
  const head = text.length > HEAD ? text.slice(0, HEAD) : text;
  const upper = UPPER.exec(head)?.[1];
  if (upper) return WORDS[upper.toLowerCase()] ?? NONE;
  const word = (BRACKET.exec(head) ?? KEYED.exec(text.length > 2_000 ? text.slice(0, 2_000) : text))?.[1];
  if (word) return WORDS[word.toLowerCase()] ?? NONE;
  const letter = (GLOG.exec(head) ?? TRT.exec(head) ?? LLAMA.exec(head))?.[1];
  if (letter) return LETTERS[letter] ?? NONE;
  return FAILURE.test(head) ? ERROR : NONE;
}

/** Whether a line belongs to the one before it, as lines of a traceback do. */
export function isContinued(text: string): boolean {
  return CONTINUES.test(text);
}
