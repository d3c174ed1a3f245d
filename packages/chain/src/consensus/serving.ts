/**
 * What a peer may ask for, and what it is given (R10). Pure.
 * @module
 */
import type { BlockTree } from './block-tree.ts'
import type { CertificateStore } from './certificates.ts'
import { makeChainReply } from './chain-reply.ts'
import type { ConsensusConfig, ConsensusMessage } from './types.ts'

export type Request = Extract<ConsensusMessage, { kind: 'getBlock' | 'getCertificate' | 'getChain' }>

export function isRequest(message: ConsensusMessage): message is Request {
  return message.kind === 'getBlock' || message.kind === 'getCertificate' || message.kind === 'getChain'
}

/** @returns nothing when the answer is not held: the peer asks another. */
export function answersTo(
  request: Request,
  held: { config: ConsensusConfig; tree: BlockTree; certificates: CertificateStore },
): ConsensusMessage[] {
  const { config, tree, certificates } = held
  switch (request.kind) {
    case 'getBlock': {
      const block = tree.find(request.hash)
      return block === undefined ? [] : [{ kind: 'block', block }]
    }
    case 'getCertificate':
      if (request.epoch !== config.epoch.epoch) return []
      return certificates.at(request.view).map((certificate) => ({ kind: 'certificate', certificate }))
    case 'getChain': {
      if (request.fromHeight <= config.anchorHeight) return []
      const reply = makeChainReply(tree, request.fromHeight, config.chainReplyBytesMax)
      return reply === null ? [] : [{ kind: 'chain', reply }]
    }
  }
}
