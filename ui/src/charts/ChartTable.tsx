/** What a chart shows, in rows. */

export interface TableAlternative {
  columns: readonly string[];
  rows: readonly (readonly (string | number | null)[])[];
}

/** More rows than these help nobody. */
const MOST = 500;

export function ChartTable({
  label,
  table: { columns, rows },
  height,
}: {
  label: string;
  table: TableAlternative;
  height: number;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section aria-label={label} tabIndex={0} className="relative overflow-auto" style={{ height }}>
      <table className="w-full text-xs">
        <caption className="sr-only">{label}</caption>
        <thead className="sticky top-0 bg-surface text-left text-muted">
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className="border-line border-b py-1.5 pr-3 font-medium">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="num">
          {rows.slice(0, MOST).map((row, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows have no names
            <tr key={index} className="border-line/60 border-b last:border-0">
              {row.map((cell, at) => (
                <td key={columns[at]} className="py-1 pr-3">
                  {cell ?? '–'}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
