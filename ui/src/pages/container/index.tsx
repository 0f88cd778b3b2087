import { Page } from '@/components/Page';

export function ContainerPage() {
  return <Page title="Container">…</Page>;
}
