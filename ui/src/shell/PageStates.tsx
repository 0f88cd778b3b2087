/** While a page is fetched, and when it breaks. */
import { Failed, Skeleton } from '@/components/States';

export function PagePending() {
  return (
    <div aria-busy className="mx-auto w-full max-w-[1500px] space-y-4 px-4 py-6 sm:px-8">
      <Skeleton className="h-7 w-48" />
      <Skeleton className="h-40 w-full" />
      <Skeleton className="h-64 w-full" />
    </div>
  );
}

/** A page that is not there any more, after an update of the service, is fetched with the whole. */
export function PageFailed({ error, reset }: { error: unknown; reset: () => void }) {
  const isGone = error instanceof Error && /dynamically imported module|module script/i.test(error.message);
  return <Failed error={error} onRetry={isGone ? () => window.location.reload() : reset} />;
}
