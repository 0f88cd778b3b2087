/** What the editor offers and tells, from the document's schema and the engine's parameters. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import type { EditorView, Tooltip } from '@codemirror/view';
import { flowContext, yamlContext } from './context';
import { descriptionAt, type Known, keysAt, type Schema, wordsAt } from './schema';
import { keyAt, type TextFormat } from './text';

export interface Knowledge {
  schema?: Schema;
  parameters?: readonly Known[];
}

function optionOf({ text, detail, isRequired }: Known, apply: string, type: string): Completion {
  const first = detail?.split('\n').join(' ') ?? '';
  return {
    label: text,
    apply,
    type,
    detail: first.length > 60 ? undefined : first,
    info: first.length > 60 ? first : undefined,
    boost: isRequired ? 5 : 0,
  };
}

/** What may be written at the cursor. */
export function completeFrom(
  context: CompletionContext,
  format: TextFormat,
  { schema, parameters = [] }: Knowledge,
): CompletionResult | null {
  if (!schema) return null;
  const before = context.state.sliceDoc(0, context.pos);
  const cursor = format === 'json' ? flowContext(before) : yamlContext(before);
  if (!cursor) return null;
  const { path, isKey, typed } = cursor;
  if (!context.explicit && typed === '' && isKey) return null;
  const isParameter = isKey && path.length === 1 && path[0] === 'parameters';
  const known = isKey ? [...(isParameter ? parameters : []), ...keysAt(schema, path)] : wordsAt(schema, path);
  if (known.length === 0) return null;
  const isQuoted = format === 'json' && !/"[^"\n]*$/.test(before.slice(before.lastIndexOf('\n') + 1));
  const quote = (text: string) =>
    format === 'json' && isQuoted && !['true', 'false'].includes(text) ? `"${text}"` : text;
  return {
    from: context.pos - typed.length,
    options: known.map((one) => {
      const text = quote(one.text);
      return optionOf(one, isKey && format === 'yaml' ? `${text}: ` : text, isKey ? 'property' : 'enum');
    }),
    validFor: /^[\w.-]*$/,
  };
}

/** What is known of the key under the pointer. */
export function tellAt(
  view: EditorView,
  pos: number,
  { schema, parameters = [] }: Knowledge,
): Tooltip | null {
  if (!schema) return null;
  const key = keyAt(view.state.doc.toString(), pos);
  if (!key) return null;
  const name = String(key.path.at(-1));
  const isParameter = key.path.length === 2 && key.path[0] === 'parameters';
  const text = isParameter
    ? parameters.find(({ text }) => text === name)?.detail
    : descriptionAt(schema, key.path);
  if (!text) return null;
  return {
    pos: key.from,
    end: key.to,
    above: true,
    create: () => {
      const dom = document.createElement('div');
      dom.className = 'told';
      const title = document.createElement('div');
      title.className = 'told-name';
      title.textContent = name;
      const body = document.createElement('div');
      body.className = 'told-text';
      body.textContent = text;
      dom.append(title, body);
      return { dom };
    },
  };
}
