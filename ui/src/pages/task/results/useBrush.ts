/** The brushed parts of the parallel coordinates: in the address, and as the experiments they keep. */
import { useCallback, useMemo } from 'react';
import { type Brush, brushOfText, brushToText, isBrushed } from '@/charts/brush';
import { dimensions } from '@/components/experiment/parameters';
import { useAddress } from '@/lib/address';
import type { Results } from './useResults';

export function useBrush({ experiments, space }: Results) {
  const [address, change] = useAddress();
  const axes = useMemo(() => dimensions(space, experiments), [space, experiments]);
  const brush = useMemo(() => brushOfText(address.brush), [address.brush]);
  const only = useMemo(() => {
    if (Object.keys(brush).length === 0) return undefined;
    const kept = experiments.filter((each) =>
      isBrushed({ parameters: each.parameters, value: each.objective_value ?? null }, axes, brush),
    );
    return new Set(kept.map((each) => each.experiment_id));
  }, [experiments, axes, brush]);
  const setBrush = useCallback((next: Brush) => change({ brush: brushToText(next) }), [change]);
  const clear = useCallback(() => change({ brush: undefined }), [change]);
  return { axes, brush, only, setBrush, clear };
}
