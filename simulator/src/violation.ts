/** A run broke what must always hold. */
export class Violation extends Error {
  override readonly name = 'Violation'
}
