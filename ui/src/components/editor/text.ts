/** Documents as text, and back: YAML and JSON with the same meaning. */
import {
  type CollectionTag,
  type Document,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  parseDocument,
  type ScalarTag,
  type Tags,
  visit,
  Document as YamlDocument,
} from 'yaml';
import type { Json, Path } from '@/components/form/json';

export type TextFormat = 'yaml' | 'json';

export interface TextError {
  message: string;
  /** Counted from 1. */
  line: number;
  column: number;
  from: number;
  to: number;
}

export interface ReadText {
  documents: Json[];
  errors: TextError[];
}

/** Whole numbers in twos, which the service understands as well. */
const binary: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  identify: () => false,
  default: true,
  format: 'BIN',
  test: /^[-+]?0b[01]+$/,
  resolve: (text) => Number(text.replace(/^[-+]/, '')) * (text.startsWith('-') ? -1 : 1),
};

/** `0777` is text, and what is too large to be kept as a number is, too. */
function strictly(tag: ScalarTag | CollectionTag): ScalarTag | CollectionTag {
  if (!/:(?:int|float)$/.test(tag.tag) || tag.collection !== undefined || !tag.resolve) return tag;
  const { resolve, format, test } = tag;
  const isDecimal = tag.tag.endsWith(':int') && format === undefined;
  return {
    ...tag,
    test: isDecimal ? /^[-+]?(?:0|[1-9][0-9]*)$/ : test,
    resolve: (text, onError, options) => {
      const value = resolve(text, onError, options);
      const number = Number(
        typeof value === 'object' && value !== null && 'value' in value ? value.value : value,
      );
      const isKept = Number.isFinite(number) && (!isDecimal || Number.isSafeInteger(number));
      return isKept ? value : text;
    },
  } as ScalarTag;
}

const OPTIONS = {
  version: '1.2',
  prettyErrors: false,
  uniqueKeys: true,
  customTags: (tags: Tags) => [...tags.map((tag) => (typeof tag === 'string' ? tag : strictly(tag))), binary],
} as const;

/** Keeps a whole number as text where it is too long to be kept as a number. */
function unspoilt(_: string, value: unknown, context?: { source?: string }): unknown {
  const isLong = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isLong && /^-?\d+$/.test(context?.source ?? '') ? context?.source : value;
}

/** A text that is JSON, as it is. */
export function readJson(text: string): Json {
  return JSON.parse(text, unspoilt) as Json;
}

/** The format that a file's name or its first letter tells. */
export function formatOf(text: string, fileName = ''): TextFormat {
  if (/\.json$/i.test(fileName)) return 'json';
  if (/\.ya?ml$/i.test(fileName)) return 'yaml';
  return /^\s*[[{]/.test(text) && isJson(text) ? 'json' : 'yaml';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Every document in a text, or what keeps it from being read. */
export function readText(text: string, format: TextFormat): ReadText {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...OPTIONS, lineCounter: lines });
  const all: Document[] = Array.isArray(parsed) ? (parsed as Document[]) : [];
  const errors = all
    .flatMap(({ errors }) => errors)
    .map(({ message, pos: [from, to] }): TextError => {
      const { line, col } = lines.linePos(from);
      return { message, line, column: col, from, to: Math.max(to, from) };
    });
  if (format === 'json') {
    try {
      const document = readJson(text);
      // What JSON reads and YAML does not is a key given twice, or a matter of white space.
      const twice = errors.filter(({ message }) => /unique/i.test(message));
      return { documents: [document], errors: twice };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const at = Number(/position (\d+)/.exec(message)?.[1] ?? errors[0]?.from ?? text.length);
      const { line, col } = lines.linePos(Math.min(at, text.length));
      return {
        documents: [],
        errors: [{ message: message.replace(/ in JSON.*$/, ''), line, column: col, from: at, to: at }],
      };
    }
  }
  if (errors.length > 0) return { documents: [], errors };
  try {
    return { documents: all.map((each) => each.toJS() as Json), errors };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { documents: [], errors: [{ message, line: 1, column: 1, from: 0, to: 0 }] };
  }
}

/** The task documents of what was read: a list of them and `{tasks: […]}` hold several. */
export function tasksOf(documents: readonly Json[]): Json[] {
  return documents.flatMap((document) => {
    if (Array.isArray(document)) return document;
    if (typeof document === 'object' && document !== null && Array.isArray(document.tasks))
      return Object.keys(document).length === 1 ? document.tasks : [document];
    return document === null ? [] : [document];
  });
}

const SHORT = 72;

/** A document as a person would write it. */
export function writeText(document: Json, format: TextFormat): string {
  if (format === 'json') return `${JSON.stringify(document, null, 2)}\n`;
  const yaml = new YamlDocument(document, {
    version: '1.2',
    aliasDuplicateObjects: false,
    customTags: (tags: Tags) => [...tags, binary],
  });
  visit(yaml, {
    Seq(_, seq) {
      const isShort = JSON.stringify(seq.toJSON()).length <= SHORT;
      if (seq.items.every(isScalar) && (isShort || seq.items.every((item) => typeof item.value !== 'string')))
        seq.flow = true;
    },
    Map(_, map, path) {
      const isPlain = map.items.every(({ value }) => isScalar(value));
      if (path.length >= 4 && isPlain && JSON.stringify(map.toJSON()).length <= SHORT) map.flow = true;
    },
  });
  return yaml.toString({ lineWidth: 100, flowCollectionPadding: true });
}

/** Where a place of the document stands in its text; the nearest above it where it is not there itself. */
export function placeIn(text: string, path: Path): { from: number; to: number } | undefined {
  const document = parseDocument(text, { ...OPTIONS, strict: false });
  let node: unknown = document.contents;
  let found: { from: number; to: number } | undefined;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (!pair) break;
      found = rangeOf(pair.key) ?? found;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      if (node === undefined) break;
      found = rangeOf(node) ?? found;
    } else break;
  }
  return isScalar(node) ? (rangeOf(node) ?? found) : found;
}

function rangeOf(node: unknown): { from: number; to: number } | undefined {
  const range = (node as { range?: [number, number, number] | null } | null)?.range;
  return range ? { from: range[0], to: Math.max(range[1], range[0]) } : undefined;
}

/** The place of the key that stands at an offset of the text, with where the key stands. */
export function keyAt(text: string, offset: number): { path: Path; from: number; to: number } | undefined {
  const document = parseDocument(text, { ...OPTIONS, strict: false });
  let found: { path: Path; from: number; to: number } | undefined;
  visit(document, {
    Pair(_, pair, parents) {
      const range = rangeOf(pair.key);
      if (!range || offset < range.from || offset > range.to) return undefined;
      const path: (string | number)[] = [];
      for (const [index, parent] of parents.entries()) {
        if (isPair(parent)) path.push(String(isScalar(parent.key) ? parent.key.value : parent.key));
        else if (isSeq(parent)) path.push(parent.items.indexOf(parents[index + 1] ?? pair));
      }
      path.push(String(isScalar(pair.key) ? pair.key.value : pair.key));
      found = { path, ...range };
      return visit.BREAK;
    },
  });
  return found;
}
