/** What a chart says of the point that is pointed at: built of elements, never of markup in texts. */

export interface TipRow {
  name: string;
  value: string;
  /** A dot in this colour before the name. */
  color?: string;
}

function element(tag: string, className: string, text?: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A title, lines of name and value, and a last remark. */
export function tip(title: string, rows: readonly TipRow[], note?: string): HTMLElement {
  const box = element('div', 'max-w-72 whitespace-normal text-xs leading-5');
  box.append(element('div', 'font-semibold', title));
  if (rows.length > 0) {
    const list = element('dl', 'mt-0.5 grid grid-cols-[auto_auto] gap-x-3');
    for (const { name, value, color } of rows) {
      const term = element('dt', 'flex items-center gap-1.5 text-muted');
      if (color) {
        const dot = element('span', 'size-2 shrink-0 rounded-full');
        dot.style.backgroundColor = color;
        term.append(dot);
      }
      term.append(element('span', '', name));
      list.append(term, element('dd', 'num text-right break-all', value));
    }
    box.append(list);
  }
  if (note) box.append(element('div', 'mt-1 text-muted', note));
  return box;
}
