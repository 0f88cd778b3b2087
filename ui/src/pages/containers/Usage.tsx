/** What a container that runs uses now, in one line. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { containerUsage } from '@/api/queries/containers';
import { bytes, number } from '@/lib/format';

export function Usage({ id, isRunning }: { id: string; isRunning: boolean }) {
  const { t } = useTranslation();
  const { data } = useQuery({ ...containerUsage(id), enabled: isRunning });
  if (!isRunning || !data) return <span className="text-faint">–</span>;
  return (
    <span className="num text-xs whitespace-nowrap">
      <span title={t('containers.cpu')}>{number(data.cpu_percent, 3)}%</span>
      <span className="text-faint"> · </span>
      <span title={t('containers.memory')}>{bytes(data.memory_usage_bytes)}</span>
    </span>
  );
}
