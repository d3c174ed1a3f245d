/**
 * `@chainsafe/ssz` asks for Node's `Buffer` as soon as a schema is made. To be imported before anything that makes one.
 * @module
 */
import { Buffer } from 'buffer/'

globalThis.Buffer ??= Buffer as unknown as typeof globalThis.Buffer
