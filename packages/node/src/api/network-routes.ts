/**
 * The endpoints under `/network` that show and administer the peers (PT-14, PC-13).
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { BlacklistJson, KnownPeersJson } from '@althing/client'
import { NetworkError } from '@althing/network'
import type { Network, PeerQuery } from '@althing/network'
import { ApiFault, success } from './answer.ts'
import type { ApiFaultCode } from './answer.ts'
import { blacklistEntryJson, knownPeerJson, networkHealthJson, peerDetailsJson } from './network-json.ts'
import { readBan, readPeerAddress, readPeerQuery } from './network-parameters.ts'
import type { PeersQuerystring } from './network-parameters.ts'

/** What these endpoints need of the network. */
export type AdministeredNetwork = Pick<
  Network,
  | 'health'
  | 'peer'
  | 'knownPeers'
  | 'findPeers'
  | 'connect'
  | 'disconnect'
  | 'ban'
  | 'unban'
  | 'blacklist'
  | 'reserve'
  | 'release'
>

/** @param mayAdminister false: whoever reaches the API could change the peers, so that nobody may. */
export function addNetworkRoutes(
  app: FastifyInstance,
  network: AdministeredNetwork,
  mayAdminister: boolean,
): void {
  app.get('/network/health', () => success(networkHealthJson(network.health())))

  app.get<{ Params: { id: string } }>('/network/peer/:id', ({ params }) => {
    const found = network.peer(params.id)
    if (found === undefined) throw unknownPeer(params.id)
    return success(peerDetailsJson(found))
  })

  app.get<{ Querystring: PeersQuerystring }>('/network/peers', ({ query }) => {
    const peers = peersOf(network, readPeerQuery(query)).map(knownPeerJson)
    return success<KnownPeersJson>({ peer_count: peers.length, peers })
  })

  app.get('/network/blacklist', () =>
    success<BlacklistJson>({ entries: network.blacklist().map(blacklistEntryJson) }),
  )

  const change = { onRequest: async () => requireAdministration(mayAdminister) }

  app.post('/network/blacklist', change, async ({ body }) => {
    const { target, ...options } = readBan(body)
    return success(blacklistEntryJson(await faultOf(network.ban(target, options))))
  })

  app.delete<{ Params: { target: string } }>('/network/blacklist/:target', change, async ({ params }) => {
    const entry = await faultOf(network.unban(params.target))
    if (entry !== null) return success(blacklistEntryJson(entry))
    throw new ApiFault('BLACKLIST_ENTRY_UNKNOWN', `there is no entry for ${params.target}`)
  })

  app.post('/network/peers', change, async ({ body }) =>
    success({ peer_id: await faultOf(network.connect(readPeerAddress(body))) }),
  )

  app.delete<{ Params: { id: string } }>('/network/peers/:id', change, ({ params }) => {
    if ((network.peer(params.id)?.session ?? null) === null) throw unknownPeer(params.id)
    network.disconnect(params.id, 'by the operator')
    return success({ peer_id: params.id })
  })

  app.put<{ Params: { id: string } }>('/network/peers/:id/reservation', change, ({ params }) => {
    if (network.peer(params.id) === undefined) throw unknownPeer(params.id)
    network.reserve(params.id)
    return success({ peer_id: params.id })
  })

  app.delete<{ Params: { id: string } }>('/network/peers/:id/reservation', change, ({ params }) => {
    if (!network.release(params.id)) {
      throw new ApiFault('PEER_UNKNOWN', `${params.id} is not reserved by configuration or operator`)
    }
    return success({ peer_id: params.id })
  })
}

/** A query is of peers with a session; without one all known peers are listed. */
function peersOf(
  network: AdministeredNetwork,
  { connected, query }: { readonly connected: boolean | undefined; readonly query: PeerQuery | null },
): ReturnType<Network['knownPeers']> {
  if (query !== null) return network.findPeers(query).map(({ id }) => network.peer(id)!)
  return network
    .knownPeers()
    .filter(({ session }) => connected === undefined || (session !== null) === connected)
}

function requireAdministration(mayAdminister: boolean): void {
  if (mayAdminister) return
  throw new ApiFault(
    'TOKEN_REQUIRED',
    'this API is open to other machines and has no api.token_file: set one to change peers over it',
  )
}

function unknownPeer(id: string): ApiFault {
  return new ApiFault('PEER_UNKNOWN', `this node has, and had, no session with ${id}`)
}

const FAULTS: ReadonlySet<string> = new Set<ApiFaultCode>([
  'ADDRESS_INVALID',
  'BLACKLIST_FULL',
  'BLACKLIST_TARGET_INVALID',
  'DIAL_FAILED',
  'HANDSHAKE_REFUSED',
  'PEER_BANNED',
])

/** What the network refuses is told as it says it. */
async function faultOf<T>(done: Promise<T>): Promise<T> {
  try {
    return await done
  } catch (error) {
    if (error instanceof NetworkError && FAULTS.has(error.code)) {
      throw new ApiFault(error.code as ApiFaultCode, error.message)
    }
    throw error
  }
}
