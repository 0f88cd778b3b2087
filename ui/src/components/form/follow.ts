/** What is named after the model follows it until somebody names it otherwise. */

import { actual } from './aliases';
import { at, type Json, put } from './json';

const FOLLOWERS = [
  ['benchmark', 'model_name'],
  ['benchmark', 'model_tokenizer'],
] as const;

/** The document with another model. A name that is absent follows by itself. */
export function withModel(document: Json, id: string): Json {
  const path = actual(document, ['model', 'id_or_path']);
  const before = at(document, path);
  let after = put(document, path, id);
  for (const follower of FOLLOWERS) {
    const own = actual(after, follower);
    const name = at(after, own);
    if (typeof name === 'string' && name === before) after = put(after, own, id);
  }
  return after;
}
