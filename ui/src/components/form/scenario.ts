/** Traffic scenarios: `D(in,out)`, `N(mean,sd)/(mean,sd)`, `U(min,max)/(min,max)`, `U(in,out)`. */

export type ScenarioKind = 'D' | 'N' | 'U';

/** A scenario taken apart. Lengths are texts: half of one may be typed. */
export interface Scenario {
  kind: ScenarioKind;
  /** Two lengths, or four: of prompts, then of answers. */
  lengths: string[];
}

const PART = '\\(([^(),]*),([^(),]*)\\)';
const PAIR = new RegExp(`^([DU])${PART}$`);
const QUAD = new RegExp(`^([NU])${PART}/${PART}$`);

/** The scenario that a text stands for; nothing where it has another shape. */
export function parseScenario(text: string): Scenario | undefined {
  const found = PAIR.exec(text.trim()) ?? QUAD.exec(text.trim());
  if (!found) return undefined;
  const [, kind, ...lengths] = found;
  return { kind: kind as ScenarioKind, lengths: lengths.map((length) => length.trim()) };
}

export function writeScenario({ kind, lengths }: Scenario): string {
  const [first = '', second = '', third, fourth] = lengths;
  const pair = `${kind}(${first},${second})`;
  return third === undefined ? pair : `${pair}/(${third},${fourth ?? ''})`;
}

/** The same traffic, as near as another kind can say it. */
export function toKind({ kind, lengths }: Scenario, wanted: ScenarioKind): Scenario {
  if (kind === wanted) return { kind, lengths };
  const isQuad = lengths.length === 4;
  const [first = '', second = '', third = '', fourth = ''] = lengths;
  const half = (text: string, other: string) => {
    const middle = (Number(text) + Number(other)) / 2;
    return Number.isFinite(middle) ? String(Math.max(1, Math.round(middle))) : text;
  };
  const [prompt, answer] = isQuad
    ? kind === 'U'
      ? [half(first, second), half(third, fourth)]
      : [first, third]
    : [first, second];
  const share = (text: string, factor: number) => {
    const value = Number(text) * factor;
    return Number.isFinite(value) ? String(Math.max(1, Math.round(value))) : text;
  };
  if (wanted === 'D') return { kind: 'D', lengths: [prompt, answer] };
  if (wanted === 'N')
    return { kind: 'N', lengths: [prompt, share(prompt, 0.25), answer, share(answer, 0.25)] };
  return {
    kind: 'U',
    lengths: [share(prompt, 0.5), share(prompt, 1.5), share(answer, 0.5), share(answer, 1.5)],
  };
}
