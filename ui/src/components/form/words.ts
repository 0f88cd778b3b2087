/** Number types and parallel sizes: each a word or several to try, or presets in place of them. */
import { isObject, type Json } from './json';

export const QUANT_WORDS: Record<string, readonly string[]> = {
  gemm_dtype: ['auto', 'float16', 'bfloat16', 'float32', 'fp8', 'int8'],
  kvcache_dtype: ['auto', 'fp16', 'bfloat16', 'fp8', 'fp8_e5m2', 'fp8_e4m3', 'int8', 'int4'],
  attention_dtype: ['auto', 'float16', 'bfloat16', 'fp8', 'fp8_e5m2', 'fp8_e4m3', 'fp8_block'],
  moe_dtype: ['auto', 'float16', 'bfloat16', 'fp8', 'w4afp8', 'mxfp4', 'int8'],
};

export const QUANT_PRESETS = [
  'default',
  'kv-cache-fp8',
  'dynamic-fp8',
  'bf16-stable',
  'aggressive-moe',
] as const;

export const PARALLEL_SIZES: Record<string, readonly Json[]> = {
  tp: [1, 2, 4, 8, 16],
  pp: [1, 2, 4, 8],
  dp: [1, 2, 4, 8, 16],
  cp: [1, 2, 4, 8],
  dcp: [1, 2, 4, 8],
  enable_expert_parallel: [false, true],
  moe_ep: [1, 2, 4, 8, 16],
  moe_tp: [1, 2, 4, 8],
  moe_cluster: [1, 2, 4],
  moe_dense_tp: [1],
};

export const PARALLEL_PRESETS = [
  'single-gpu',
  'high-throughput',
  'large-model-tp',
  'large-model-tp-pp',
  'moe-optimized',
  'long-context',
  'balanced',
] as const;

export type WordsMode = 'none' | 'preset' | 'custom';

/** Which way a document says it. */
export function wordsMode(part: Json | undefined): WordsMode {
  if (!isObject(part) || Object.keys(part).length === 0) return 'none';
  return 'presets' in part || 'preset' in part ? 'preset' : 'custom';
}

/** One value or a list, as a list. */
export function listOf(value: Json | undefined): Json[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}

/** The list with a value in it or not; in the order of `all`, others behind. */
export function toggled(list: readonly Json[], value: Json, all: readonly Json[]): Json[] {
  const place = (one: Json) => (all.includes(one) ? all.indexOf(one) : all.length);
  const next = list.includes(value) ? list.filter((own) => own !== value) : [...list, value];
  return next.toSorted((one, other) => place(one) - place(other));
}
