export function Chart({ label, height = 280 }: { option: unknown; label: string; height?: number }) {
  return <div role="img" aria-label={label} style={{ height }} />;
}
