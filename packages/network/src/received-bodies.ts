/**
 * Frees what was received in bulk while it is young. An array outside of V8's heap counts towards the limit at which the whole heap is
 * marked, and bulk makes such arrays much faster than objects, so that V8 sees no reason for the small collection that would free them: each
 * 25 MB of bulk then cost marking everything that lives, half of the receiver's CPU, and urgent messages waited for it.
 * The heap is that of the process, and so is this count.
 * @see docs/decisions/006-tls-on-the-socket.md
 * @module
 */
import { collectYoung } from '#platform'

/** Smaller bodies come with enough objects. */
const LARGE_BYTES_MIN = 16 * 1024
/** Half of the growth that V8 allows at least before it marks everything. */
const COLLECT_EACH_BYTES = 4 * 1024 * 1024

let uncollectedBytes = 0

/** A body was handed to whoever handles it. */
export function bodyReceived({ length }: Uint8Array): void {
  if (length < LARGE_BYTES_MIN) return
  uncollectedBytes += length
  if (uncollectedBytes < COLLECT_EACH_BYTES) return
  uncollectedBytes = 0
  collectYoung()
}
