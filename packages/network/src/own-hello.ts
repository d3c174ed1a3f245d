import { assert } from '@althing/base'
import type { CheckedConfig } from './config.ts'
import { CREDENTIAL_BYTES_MAX } from './protocol/control.ts'
import type { Hello } from './protocol/hello.ts'

/** What this node says first to a peer. @param addresses without the peer id. */
export function ownHello(
  config: CheckedConfig,
  addresses: readonly string[],
  localPeer: string,
  remotePeer: string,
): Hello {
  const { versions, networkId, genesisHash, nodeType, features } = config
  const credential = config.credential(localPeer, remotePeer)
  assert(
    credential.length <= CREDENTIAL_BYTES_MAX,
    `the credential has ${credential.length} bytes, over ${CREDENTIAL_BYTES_MAX}`,
  )
  return {
    versions,
    networkId,
    genesisHash,
    nodeType,
    features,
    status: config.status(),
    addresses,
    credential,
  }
}
