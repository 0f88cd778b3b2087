/**
 * Traffic scenarios: `D(in,out)`, `N(mean,sd)/(mean,sd)`, `U(min,max)/(min,max)`, `U(in,out)`,
 * `P(prefix,suffix)/out`, `E(tokens)`, `R(document,query)`, `I(width,height,count)/out`, `dataset`.
 */

export const SCENARIO_KINDS = ['D', 'N', 'U', 'P', 'E', 'R', 'I', 'dataset'] as const;
export type ScenarioKind = (typeof SCENARIO_KINDS)[number];

/** A scenario taken apart. Lengths are texts: half of one may be typed. */
export interface Scenario {
  kind: ScenarioKind;
  /** In the order in which they are written; of images, an empty text is a part that is left out. */
  lengths: string[];
}

const ONE = '([^(),/]*)';
const PART = `\\(${ONE},${ONE}\\)`;
const SHAPES = [
  new RegExp(`^([DUR])${PART}$`),
  new RegExp(`^([NU])${PART}/${PART}$`),
  new RegExp(`^(P)${PART}/${ONE}$`),
  new RegExp(`^(E)\\(${ONE}\\)$`),
  new RegExp(`^(I)\\(${ONE},${ONE}(?:,([^(),/]+))?\\)(?:/([^(),/]+))?$`),
  /^(dataset)$/,
];

/** The scenario that a text stands for; nothing where it has another shape. */
export function parseScenario(text: string): Scenario | undefined {
  const written = text.trim();
  for (const shape of SHAPES) {
    const [, kind, ...lengths] = shape.exec(written) ?? [];
    if (kind !== undefined)
      return { kind: kind as ScenarioKind, lengths: lengths.map((length) => (length ?? '').trim()) };
  }
  return undefined;
}

export function writeScenario({ kind, lengths }: Scenario): string {
  const [first = '', second = '', third, fourth] = lengths;
  const pair = `${kind}(${first},${second})`;
  if (kind === 'dataset') return 'dataset';
  if (kind === 'E') return `E(${first})`;
  if (kind === 'P') return `${pair}/${third ?? ''}`;
  if (kind === 'I')
    return `I(${[first, second, ...(third ? [third] : [])].join(',')})${fourth ? `/${fourth}` : ''}`;
  return third === undefined ? pair : `${pair}/(${third},${fourth ?? ''})`;
}

/** Lengths that are usual where another kind says nothing of them. */
const USUAL = { prompt: '512', answer: '128' };

function scaled(text: string, factor: number): string {
  const value = Number(text) * factor;
  return Number.isFinite(value) ? String(Math.max(1, Math.round(value))) : text;
}

/** One length of prompts and one of answers, as near as they come to what a scenario says. */
function plain({ kind, lengths }: Scenario): { prompt: string; answer: string } {
  const [first = '', second = '', third = '', fourth = ''] = lengths;
  const added = (factor: number, one: string, other: string) => {
    const sum = Number(one) + Number(other);
    return Number.isFinite(sum) ? scaled(String(sum), factor) : one;
  };
  switch (kind) {
    case 'D':
      return { prompt: first, answer: second };
    case 'N':
      return { prompt: first, answer: third };
    case 'U':
      return lengths.length === 4
        ? { prompt: added(0.5, first, second), answer: added(0.5, third, fourth) }
        : { prompt: first, answer: second };
    case 'P':
      return { prompt: added(1, first, second), answer: third };
    case 'E':
    case 'R':
      return { ...USUAL, prompt: first };
    case 'I':
      return { ...USUAL, answer: fourth || USUAL.answer };
    case 'dataset':
      return USUAL;
  }
}

/** The same traffic, as near as another kind can say it. */
export function toKind(scenario: Scenario, wanted: ScenarioKind): Scenario {
  if (scenario.kind === wanted) return scenario;
  const { prompt, answer } = plain(scenario);
  return { kind: wanted, lengths: lengthsOf(wanted, prompt, answer) };
}

function lengthsOf(kind: ScenarioKind, prompt: string, answer: string): string[] {
  switch (kind) {
    case 'D':
      return [prompt, answer];
    case 'N':
      return [prompt, scaled(prompt, 0.25), answer, scaled(answer, 0.25)];
    case 'U':
      return [scaled(prompt, 0.5), scaled(prompt, 1.5), scaled(answer, 0.5), scaled(answer, 1.5)];
    case 'P':
      return [scaled(prompt, 0.5), scaled(prompt, 0.5), answer];
    case 'E':
      return [prompt];
    case 'R':
      return [prompt, '20'];
    case 'I':
      return ['512', '512', '', answer];
    case 'dataset':
      return [];
  }
}

/** What is sent where a document names no scenario, by what it asks and whether it names a data set. */
export function usualScenario(of: { task?: unknown; endpoint?: unknown; hasDataSet: boolean }): string {
  const asks = usualEndpoint({ task: of.task, endpoint: of.endpoint, scenarios: [] });
  if (asks === 'rerank') return 'R(100,20)';
  if (of.hasDataSet) return 'dataset';
  if (asks === 'embeddings') return 'E(100)';
  return of.task === 'image-text-to-text' ? 'I(512,512)' : 'D(100,100)';
}

/** Which API is asked: what a document names, else what its traffic and its scenarios need. */
export function usualEndpoint(of: {
  task?: unknown;
  endpoint?: unknown;
  scenarios: readonly unknown[];
}): string {
  if (typeof of.endpoint === 'string') return of.endpoint;
  if (of.task === 'text-to-embeddings') return 'embeddings';
  if (of.task === 'text-to-rerank') return 'rerank';
  if (typeof of.task === 'string') return 'chat';
  for (const text of of.scenarios) {
    const kind = typeof text === 'string' ? parseScenario(text)?.kind : undefined;
    if (kind === 'E') return 'embeddings';
    if (kind === 'R') return 'rerank';
    if (kind === 'I') return 'chat';
  }
  return 'chat';
}
