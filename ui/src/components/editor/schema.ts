/** What a JSON Schema says of a place in a document. */
import type { Path } from '@/components/form/json';

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string | string[];
  description?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}

/** A schema and its alternatives, without those that only say `null`. */
function alternatives(schema: Schema, root: Schema, depth = 0): Schema[] {
  if (depth > 8) return [];
  if (schema.$ref) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    const target = root.$defs?.[name];
    return target ? alternatives(target, root, depth + 1) : [];
  }
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return [schema, ...inner.flatMap((each) => alternatives(each, root, depth + 1))];
}

/** The schemas that may hold at a place. */
export function schemasAt(root: Schema, path: Path): Schema[] {
  let here = alternatives(root, root);
  for (const step of path) {
    here = here.flatMap((schema) => {
      if (typeof step === 'number') return schema.items ? alternatives(schema.items, root) : [];
      const own = schema.properties?.[step];
      if (own) return alternatives(own, root);
      const other = schema.additionalProperties;
      return typeof other === 'object' ? alternatives(other, root) : [];
    });
  }
  return here;
}

export interface Known {
  text: string;
  detail?: string;
  isRequired?: boolean;
}

/** The keys that an object at a place may have. */
export function keysAt(root: Schema, path: Path): Known[] {
  const keys = new Map<string, Known>();
  for (const { properties = {}, required = [] } of schemasAt(root, path)) {
    for (const [text, schema] of Object.entries(properties)) {
      const detail = schema.description ?? keys.get(text)?.detail;
      keys.set(text, { text, detail, isRequired: required.includes(text) });
    }
  }
  return [...keys.values()];
}

/** The words that may stand at a place. */
export function wordsAt(root: Schema, path: Path): Known[] {
  const words = new Map<string, Known>();
  for (const schema of schemasAt(root, path)) {
    const all = schema.const === undefined ? (schema.enum ?? []) : [schema.const];
    for (const word of all)
      if (word !== null) words.set(String(word), { text: String(word), detail: schema.description });
    if (schema.type === 'boolean' || (Array.isArray(schema.type) && schema.type.includes('boolean')))
      for (const text of ['true', 'false']) if (!words.has(text)) words.set(text, { text });
  }
  return [...words.values()];
}

/** What is said of a place. */
export function descriptionAt(root: Schema, path: Path): string | undefined {
  // The description beside a reference says more of this place than that of what it refers to.
  const parents = schemasAt(root, path.slice(0, -1));
  const last = path.at(-1);
  for (const { properties } of parents) {
    const own = typeof last === 'string' ? properties?.[last]?.description : undefined;
    if (own) return own;
  }
  const told = schemasAt(root, path).filter(({ description }) => description);
  return told.length === 1 ? told[0]?.description : undefined;
}
