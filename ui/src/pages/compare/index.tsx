import { Page } from '@/components/Page';

export function ComparePage() {
  return <Page title="Compare">…</Page>;
}
