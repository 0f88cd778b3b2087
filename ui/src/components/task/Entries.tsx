/** Paths of a document and what stands there. */

export function Entries({ entries }: { entries: readonly (readonly [string, string])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-x-4 gap-y-1.5">
      {entries.map(([path, text]) => (
        <div key={path} className="col-span-2 grid grid-cols-subgrid">
          <dt className="break-words font-mono text-muted text-xs leading-5">{path}</dt>
          <dd className="num break-words leading-5">{text}</dd>
        </div>
      ))}
    </dl>
  );
}
