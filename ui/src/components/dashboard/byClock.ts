/** How levels that follow a clock are told from those that do not, while they run. */

/**
 * Whether requests of a level start by a clock, by the name that the service gives the level. Such a
 * level lasts as long as its time: the most requests that it may start tell nothing of how far it is.
 */
export function isByClock(label: string | undefined): boolean {
  return label !== undefined && label !== '' && !/ at concurrency \d+$/.test(label);
}
