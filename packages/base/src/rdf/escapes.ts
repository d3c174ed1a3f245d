/**
 * Escapes in texts and IRIs of N-Quads.
 * @module
 */

const ESCAPE = /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/g
const ESCAPED: Readonly<Record<string, string>> = { t: '\t', b: '\b', n: '\n', r: '\r', f: '\f' }
const SHORT_ESCAPE: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\b': '\\b',
  '\n': '\\n',
  '\r': '\\r',
  '\f': '\\f',
  '"': '\\"',
  '\\': '\\\\',
}
// oxlint-disable-next-line no-control-regex -- these are what canonical N-Quads escapes.
const TO_ESCAPE = /[\x00-\x1f\x7f"\\\ufffe\uffff]/g

/** `text` in a literal of canonical N-Quads. */
export function escapeText(text: string): string {
  return text.replace(
    TO_ESCAPE,
    (character) =>
      SHORT_ESCAPE[character] ?? `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  )
}

/**
 * What a text with escapes says; those that are none stay as they are. One that says no character becomes a lone surrogate,
 * which no other text has.
 */
export function unescapeText(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(ESCAPE, (_, four?: string, eight?: string, character = '') => {
    const hex = four ?? eight
    if (hex === undefined) return ESCAPED[character] ?? character
    const codePoint = Number.parseInt(hex, 16)
    const isCharacter = codePoint <= 0x10_ffff && (codePoint < 0xd800 || codePoint > 0xdfff)
    return String.fromCodePoint(isCharacter ? codePoint : 0xd800)
  })
}
