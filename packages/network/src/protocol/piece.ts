/**
 * Frames collected for one write. Pure.
 * P1  large bodies are not copied: they leave as parts of their own, between those with the headers and the small ones
 * @module
 */
import { FRAME_HEADER_BYTES, writeFrame, writeHeader } from './frame.ts'
import type { FrameHeader } from './frame.ts'

/** Below this a copy costs less than another part. */
const OWN_PART_BYTES_MIN = 2048

export class Piece {
  readonly #frames: { readonly header: FrameHeader; readonly body: Uint8Array }[] = []
  /** Of headers and small bodies. */
  #copiedBytes = 0
  length = 0

  add(header: FrameHeader, body: Uint8Array): void {
    this.#frames.push({ header, body })
    this.length += FRAME_HEADER_BYTES + body.length
    this.#copiedBytes += FRAME_HEADER_BYTES + (body.length < OWN_PART_BYTES_MIN ? body.length : 0)
  }

  parts(): Uint8Array[] {
    const parts: Uint8Array[] = []
    const copied = new Uint8Array(this.#copiedBytes)
    let partStart = 0
    let offset = 0
    for (const { header, body } of this.#frames) {
      if (body.length < OWN_PART_BYTES_MIN) {
        offset = writeFrame(copied, offset, header, body)
        continue
      }
      offset = writeHeader(copied, offset, header, body.length)
      parts.push(copied.subarray(partStart, offset), body)
      partStart = offset
    }
    if (partStart < offset) parts.push(copied.subarray(partStart, offset))
    return parts
  }
}
