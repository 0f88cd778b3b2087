/** Older names that documents may carry. A document keeps those that it has. */
import { at, isObject, type Json, type Path } from './json';

const OLDER: Record<string, string[]> = {
  model: ['model_config'],
  optimization: ['optimization_config'],
  benchmark: ['benchmark_config'],
  slo: ['slo_config'],
  'model.id_or_path': ['name'],
  'quant_config.presets': ['preset'],
  'parallel_config.presets': ['preset'],
};

/** Where a document has what stands at a place by today's names. */
export function actual(document: Json, path: Path): Path {
  const told: (string | number)[] = [];
  const asked: string[] = [];
  for (const step of path) {
    asked.push(String(step));
    const here = at(document, told);
    const other =
      asked.length > 2 || !isObject(here) || String(step) in here
        ? undefined
        : OLDER[asked.join('.')]?.find((name) => Object.hasOwn(here, name));
    told.push(other ?? step);
  }
  return told;
}

/** Words that mean the same as today's. */
const WORDS: Record<string, Record<string, string>> = {
  deployment_mode: { ome: 'kubernetes' },
  'optimization.strategy': { random: 'random_search' },
};

/** Today's word for one of a document. */
export function modernWord(path: string, word: string): string {
  return WORDS[path]?.[word] ?? word;
}
