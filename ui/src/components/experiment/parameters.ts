/** Parameters: which ones vary, in what range, and in what two configurations differ. */
import type { Experiment } from '@/api/queries/experiments';
import { setting } from '@/lib/format';
import { asFinite, asObject } from './free';

export type Values = Readonly<Record<string, unknown>>;

/** Names of the parameters that take more than one value; all of them where only one row is known. */
export function varyingParameters(rows: readonly Pick<Experiment, 'parameters'>[]): string[] {
  const seen = new Map<string, Set<string>>();
  const configured = rows.filter((row) => Object.keys(row.parameters).length > 0);
  for (const { parameters } of configured)
    for (const [name, value] of Object.entries(parameters)) {
      const values = seen.get(name) ?? new Set();
      values.add(setting(value));
      seen.set(name, values);
    }
  const names = [...seen.keys()];
  if (configured.length < 2) return names;
  return names.filter((name) => {
    const values = seen.get(name);
    return (values?.size ?? 0) > 1 || configured.some((row) => !(name in row.parameters));
  });
}

export interface Difference {
  name: string;
  /** Absent where the configuration does not say: it is the engine's default then. */
  values: readonly (unknown | undefined)[];
  isDifferent: boolean;
}

/** Every parameter of some configurations side by side; those that differ are marked. */
export function differences(configurations: readonly Values[]): Difference[] {
  const names = [...new Set(configurations.flatMap((values) => Object.keys(values)))];
  return names.map((name) => {
    const values = configurations.map((each) => (name in each ? each[name] : undefined));
    return { name, values, isDifferent: new Set(values.map(distinct)).size > 1 };
  });
}

const distinct = (value: unknown) => (value === undefined ? 'absent' : JSON.stringify(value));

export type ParameterKind = 'number' | 'category';

export interface Dimension {
  name: string;
  kind: ParameterKind;
  isLog: boolean;
  /** Of a logarithmic axis: what its ticks are powers of. */
  logBase: 2 | 10;
  /** Of a category: its values in order, as they are written. */
  categories: readonly string[];
}

/** Sizes of engines are powers of two; what spans many decades is told in tens. */
function baseFor(numbers: readonly (number | null)[]): 2 | 10 {
  const known = numbers.filter((value) => value !== null);
  return Math.max(...known) / Math.min(...known) <= 1024 ? 2 : 10;
}

/** Where to lay the values of a parameter: on a line of numbers, equal steps or equal ratios, or in boxes. */
export function dimension(name: string, space: unknown, values: readonly unknown[]): Dimension {
  const declared = asObject(space)[name];
  const form = asObject(declared);
  const type = String(form.type ?? '');
  const known = values.filter((value) => value !== undefined);
  const numbers = known.map(asFinite);
  const areNumbers = known.length > 0 && numbers.every((value) => value !== null);
  if (areNumbers && (type === 'integer' || type === 'continuous' || type === 'float'))
    return { name, kind: 'number', isLog: form.log === true, logBase: baseFor(numbers), categories: [] };
  const list = Array.isArray(declared) ? declared : (form.values ?? form.choices);
  const order = Array.isArray(list) ? list : type === 'boolean' ? [false, true] : [];
  const distinctNumbers = [...new Set(numbers.filter((value) => value !== null))];
  if (areNumbers && order.length === 0 && distinctNumbers.length > 12)
    return { name, kind: 'number', isLog: false, logBase: 10, categories: [] };
  const rest = areNumbers ? known.toSorted((a, b) => Number(a) - Number(b)) : known;
  const sorted =
    areNumbers && order.every((value) => asFinite(value) !== null)
      ? order.toSorted((a, b) => Number(a) - Number(b))
      : order;
  return {
    name,
    kind: 'category',
    isLog: false,
    logBase: 10,
    categories: [...new Set([...sorted, ...rest].map(setting))],
  };
}

/** All dimensions of some experiments. */
export function dimensions(space: unknown, rows: readonly Pick<Experiment, 'parameters'>[]): Dimension[] {
  return varyingParameters(rows).map((name) =>
    dimension(
      name,
      space,
      rows.map((row) => row.parameters[name]),
    ),
  );
}

/** Parameters as one would type them: `tp-size=2 max-num-seqs=64`. */
export function parametersAsText(parameters: Values): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${setting(value)}`)
    .join(' ');
}
