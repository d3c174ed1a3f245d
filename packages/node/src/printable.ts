/**
 * Text that others wrote, for terminals and pictures.
 * @module
 */

// oxlint-disable-next-line no-control-regex -- terminals obey these, and XML does not allow them.
const CONTROL = /[\u0000-\u001F\u007F-\u009F\uFFFE\uFFFF]/g

/** In one line: spaces of any kind are one space, other control characters show as U+FFFD. */
export function inLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(CONTROL, '\uFFFD')
}
