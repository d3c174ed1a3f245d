/**
 * The keys of this node's authority, each with the log of its own votes: the authority set says which of them votes (R11).
 * @module
 */
import { join } from 'node:path'
import { bytesToHex } from '@althing/base'
import type { Hash, Log, VoteSigner } from '@althing/base'
import type { AuthorityKey } from '@althing/chain'
import { lockKey } from '../store/folder-lock.ts'
import type { VoteLogWriter } from './driver.ts'
import { openVoteLogFiles } from './vote-log-files.ts'

export interface AuthorityKeyOption {
  readonly signer: VoteSigner
  /** Null when the key is with a signer outside this process. */
  readonly keyFile: string | null
}

export interface OpenedKeys {
  readonly keys: readonly AuthorityKey[]
  /** In the same order. */
  readonly logs: readonly VoteLogWriter[]
}

/** Where the votes of a key are kept. */
export function voteLogFolder(dataFolder: string, key: Uint8Array): string {
  return join(dataFolder, 'votes', bytesToHex(key).slice(0, 16))
}

/**
 * Locks the keys and opens their logs; `started` undoes it.
 * @throws {StoreError} `STORE_LOCKED` when another process signs with one of them.
 */
export function openAuthorityKeys(
  options: readonly AuthorityKeyOption[],
  { dataFolder, genesis, log }: { readonly dataFolder: string; readonly genesis: Hash; readonly log: Log },
  started: AsyncDisposableStack,
): OpenedKeys {
  const opened = options.map(({ signer, keyFile }) => {
    const { publicKey: key } = signer
    if (keyFile !== null) {
      const lock = lockKey(keyFile, key)
      started.defer(() => lock.release())
    }
    const votes = openVoteLogFiles(voteLogFolder(dataFolder, key), { genesis, key })
    started.defer(() => votes.files.close())
    const reason = votes.damage ?? votes.log.rejoin?.reason
    if (reason !== undefined) {
      log.error(
        'this key signs no votes until it has rejoined in the next epoch: it could otherwise vote twice',
        { key: bytesToHex(key), reason },
      )
    }
    return { key: { signer, log: votes.log }, files: votes.files }
  })
  return { keys: opened.map(({ key }) => key), logs: opened.map(({ files }) => files) }
}
