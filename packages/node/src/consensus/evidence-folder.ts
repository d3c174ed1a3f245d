/**
 * Double signatures that this node knows of, one file each, for people and for `althing evidence verify`.
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
import { decode, Evidence, EVIDENCE_BYTES_MAX } from '@althing/base'

const EVIDENCE_FILES_MAX = 4_096
const LISTED_MAX = 256

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
    const path = join(this.#folder, name)
    const draft = openSync(`${path}.draft`, 'w', 0o644)
    try {
      writeSync(draft, Evidence.serialize(evidence))
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
    this.#names.add(name)
    return path
  }
}
