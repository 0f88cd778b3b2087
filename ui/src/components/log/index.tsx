import type { LogSource } from '@/api/logs';

export function LogView({ source, className }: { source: LogSource; className?: string }) {
  return <div className={className}>{source.filename}</div>;
}
