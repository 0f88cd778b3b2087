/** A moment: how long ago, and on hover exactly when. */
import { useEffect, useState } from 'react';
import { ago, clock, moment } from '@/lib/format';
import { Tip } from './Tip';

/** Now, as often as this. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

export function Time({
  at,
  style = 'ago',
  className,
}: {
  at: string | number | null | undefined;
  style?: 'ago' | 'clock' | 'full';
  className?: string;
}) {
  const now = useNow(10_000);
  if (at === null || at === undefined) return <span className={className}>–</span>;
  const date = new Date(at);
  const text =
    style === 'ago'
      ? ago(date, Math.max(now, date.getTime()))
      : style === 'clock'
        ? clock(date)
        : moment(date);
  return (
    <Tip text={moment(date)}>
      <time dateTime={date.toISOString()} className={className}>
        {text}
      </time>
    </Tip>
  );
}
