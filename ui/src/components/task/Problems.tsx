/** What is wrong with a document, where, and what to do about it. */

export function Problems({
  problems,
}: {
  problems: readonly { path: string; message: string; hint?: string | null }[];
}) {
  if (problems.length === 0) return null;
  return (
    <ul className="mt-1 space-y-1 text-xs">
      {problems.map(({ path, message, hint }) => (
        <li key={`${path} ${message}`}>
          {path && <code className="mr-1.5 rounded bg-surface px-1 font-mono text-fg">{path}</code>}
          <span className="text-muted">
            {message}
            {hint ? ` — ${hint}` : ''}
          </span>
        </li>
      ))}
    </ul>
  );
}
