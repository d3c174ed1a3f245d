/**
 * What a peer may ask for, and what it is given (R10). Pure.
 * @module
 */
import { makeChainReply } from './chain-reply.ts'
import type { Replica } from './replica.ts'
import type { ConsensusMessage } from './types.ts'

export type Request = Extract<ConsensusMessage, { kind: 'getBlock' | 'getCertificate' | 'getChain' }>

export function isRequest(message: ConsensusMessage): message is Request {
  return message.kind === 'getBlock' || message.kind === 'getCertificate' || message.kind === 'getChain'
}

/** @returns nothing when the answer is not held: the peer asks another. */
export function answersTo(request: Request, replica: Replica): ConsensusMessage[] {
  const { config, tree, certificates } = replica
  switch (request.kind) {
    case 'getBlock': {
      const block = tree.find(request.hash)
      return block === undefined ? [] : [{ kind: 'block', block }]
    }
    case 'getCertificate': {
      const { epoch, view } = request
      const held =
        epoch === replica.epoch.epoch
          ? certificates.at(view)
          : [replica.endOf(epoch)?.finalization ?? []].flat()
      return held.map((certificate) => ({ kind: 'certificate', certificate }))
    }
    case 'getChain': {
      if (request.fromHeight < 1) return []
      const reply = makeChainReply(tree, request.fromHeight, config.chainReplyBytesMax)
      return reply === null ? [] : [{ kind: 'chain', reply }]
    }
  }
}
