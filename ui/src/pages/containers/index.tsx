import { Page } from '@/components/Page';

export function ContainersPage() {
  return <Page title="Containers">…</Page>;
}
