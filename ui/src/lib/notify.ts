/** Says in a toast how something ended. */
import { toast } from 'sonner';
import { ApiError } from '@/api/client';

/** Something was refused: what, why, and what to do. */
export function notifyFailure(what: string, error: unknown): void {
  const detail = error instanceof Error ? error.message : String(error);
  const hint = error instanceof ApiError ? error.hint : null;
  toast.error(what, { description: hint ? `${detail}\n${hint}` : detail, duration: 10_000 });
}

/** Something was done. */
export function notifyDone(what: string): void {
  toast.success(what);
}
