/** Files that are dropped anywhere on the page, and documents that are pasted where nobody types. */
import { useEffect, useState } from 'react';

export interface Given {
  text: string;
  name?: string;
}

const LIMIT = 4 * 1024 * 1024;

/** The text of a file; nothing where it is too large to be a document. */
export async function readFile(file: File): Promise<Given | undefined> {
  return file.size > LIMIT ? undefined : { text: await file.text(), name: file.name };
}

function isTyping(event: Event): boolean {
  const target = event.composedPath()[0];
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target.matches('input, textarea, select, .cm-content'))
  );
}

/** Whether a file is over the page now. */
export function useFileDrop(onGiven: (given: Given | undefined) => void): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    let depth = 0;
    const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
    const enter = (event: DragEvent) => {
      if (!hasFile(event)) return;
      depth += 1;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!hasFile(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const over = (event: DragEvent) => hasFile(event) && event.preventDefault();
    const drop = (event: DragEvent) => {
      if (!hasFile(event)) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      const file = event.dataTransfer?.files[0];
      if (file) void readFile(file).then(onGiven);
    };
    const paste = (event: ClipboardEvent) => {
      if (isTyping(event)) return;
      const file = event.clipboardData?.files[0];
      const text = event.clipboardData?.getData('text/plain') ?? '';
      if (file) void readFile(file).then(onGiven);
      else if (/\S/.test(text)) onGiven({ text });
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', over);
    window.addEventListener('drop', drop);
    window.addEventListener('paste', paste);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', over);
      window.removeEventListener('drop', drop);
      window.removeEventListener('paste', paste);
    };
  }, [onGiven]);
  return isOver;
}
