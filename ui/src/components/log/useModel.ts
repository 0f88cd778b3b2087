/** Something of a model that is shown; what shows it is drawn again only when it is another. */
import { useSyncExternalStore } from 'react';
import type { LogModel } from './model';

export function useModel<Part extends string | number | boolean>(
  model: LogModel,
  take: (model: LogModel) => Part,
): Part {
  return useSyncExternalStore(model.subscribe, () => take(model));
}
