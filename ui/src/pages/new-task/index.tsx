import { Page } from '@/components/Page';

export function NewTaskPage() {
  return <Page title="NewTask">…</Page>;
}
