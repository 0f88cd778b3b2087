/** When a key alone may do something. */

/** Whether somebody types into what a key was pressed in. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches('input, textarea, select, [role="textbox"], [role="combobox"]'))
  );
}

/** Whether something is open above the page, which then has the keys. */
export function hasOverlay(): boolean {
  return (
    document.querySelector('[role="dialog"], [role="alertdialog"], [role="menu"], [role="listbox"]') !== null
  );
}

/** Whether a key belongs to the page and to nothing in it. */
export function isFreeKey(event: KeyboardEvent): boolean {
  return !(
    event.metaKey ||
    event.ctrlKey ||
    event.altKey ||
    event.defaultPrevented ||
    isTyping(event.target) ||
    hasOverlay()
  );
}
