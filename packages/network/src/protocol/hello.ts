/**
 * What two nodes tell each other first, and whether they fit together (PO-1, PC-7). Pure.
 * @module
 */
import { bytesToHex, equalBytes } from '@althing/base'
import type { Reason } from './reason.ts'

export type NodeType = 'authority' | 'full' | 'light'

export interface VersionRange {
  /** 1 to 65,535. */
  readonly min: number
  readonly max: number
}

/** How far a node is. Claims of a peer: never act on them without a certificate. */
export interface Status {
  readonly height: number
  readonly finalizedHeight: number
  /** The lowest height whose block it can serve. */
  readonly lowestHeight: number
}

export interface Hello {
  readonly versions: VersionRange
  /** 1 to 64 bytes of UTF-8. */
  readonly networkId: string
  readonly genesisHash: Uint8Array
  readonly status: Status
  readonly nodeType: NodeType
  /** Multiaddrs where it can be dialled; at most 16. */
  readonly addresses: readonly string[]
  readonly features: readonly string[]
  /** Proof of a role, judged by the application; at most 1,024 bytes, empty for none. */
  readonly credential: Uint8Array
}

export type Agreement =
  | { readonly ok: true; readonly version: number }
  | { readonly ok: false; readonly reason: Reason }

/** Whether `remote` is of our network, and the highest version that both speak. Symmetric but for the wording. */
export function agree(local: Hello, remote: Hello): Agreement {
  if (local.networkId !== remote.networkId) {
    return refuse('network-mismatch', `network "${remote.networkId}"; this node is of "${local.networkId}"`)
  }
  if (!equalBytes(local.genesisHash, remote.genesisHash)) {
    return refuse(
      'genesis-mismatch',
      `genesis ${shortHex(remote.genesisHash)}; this node has ${shortHex(local.genesisHash)}`,
    )
  }
  const version = Math.min(local.versions.max, remote.versions.max)
  if (version < Math.max(local.versions.min, remote.versions.min)) {
    return refuse(
      'version-mismatch',
      `versions ${rangeText(remote.versions)}; this node speaks ${rangeText(local.versions)}`,
    )
  }
  return { ok: true, version }
}

function refuse(code: Reason['code'], message: string): Agreement {
  return { ok: false, reason: { code, message } }
}

function shortHex(hash: Uint8Array): string {
  return bytesToHex(hash.subarray(0, 8))
}

function rangeText({ min, max }: VersionRange): string {
  return min === max ? `${min}` : `${min} to ${max}`
}
