/**
 * Double signatures that this node knows of, one file each, for people and for `althing evidence verify`; and why
 * consensus halted here, if it did.
 * E1  a file is whole or not there, and is durable when `keep` returns
 * E2  at most `EVIDENCE_FILES_MAX`: the first of each signer and epoch, until there are so many
 * @module
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { Certificate, decode, Evidence, EVIDENCE_BYTES_MAX, utf8ToBytes } from '@althing/base'

const EVIDENCE_FILES_MAX = 4_096
const LISTED_MAX = 256
const HALT_NAME = 'halted.json'

export class EvidenceFolder {
  readonly #folder: string
  readonly #names: Set<string>

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
    this.#names = new Set(readdirSync(folder).filter((name) => name.endsWith('.evidence')))
  }

  /** The proofs, at most `LISTED_MAX`; what cannot be read is left out. */
  list(): Evidence[] {
    return [...this.#names].slice(-LISTED_MAX).flatMap((name) => {
      const proof = decode(Evidence, readFileSync(join(this.#folder, name)), EVIDENCE_BYTES_MAX)
      return proof.ok ? [proof.value] : []
    })
  }

  /** @returns the file; null when there is one of this signer and epoch already, or there is no room. */
  keep(evidence: Evidence): string | null {
    const { epoch, signer } = evidence.first
    const name = `epoch-${epoch}-authority-${signer}.evidence`
    if (this.#names.has(name) || this.#names.size >= EVIDENCE_FILES_MAX) return null
    this.#names.add(name)
    return this.#write(name, Evidence.serialize(evidence))
  }

  /**
   * What consensus halted for (R7): two finalizations that contradict each other, each by a quorum, as far as there are
   * such. @returns the file.
   */
  keepHalt(reason: string, finalizations: readonly Certificate[]): string {
    const proof = finalizations.map((one) => Buffer.from(Certificate.serialize(one)).toString('base64'))
    const text = `${JSON.stringify({ reason, finalizations: proof }, null, 2)}\n`
    return this.#write(HALT_NAME, utf8ToBytes(text))
  }

  #write(name: string, bytes: Uint8Array): string {
    const path = join(this.#folder, name)
    const draft = openSync(`${path}.draft`, 'w', 0o644)
    try {
      writeSync(draft, bytes)
      fsyncSync(draft)
    } finally {
      closeSync(draft)
    }
    renameSync(`${path}.draft`, path)
    const folder = openSync(this.#folder, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
    return path
  }
}
