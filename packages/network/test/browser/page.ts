/** Runs in the browser: joins over WebSocket, asks, and says what it was answered. */
import { startNetwork } from '../../src/browser.ts'
import { KINDS, NETWORK } from './network.ts'

const network = await startNetwork({
  ...NETWORK,
  identity: crypto.getRandomValues(new Uint8Array(32)),
  listen: [],
  bootstrap: [],
  nodeType: 'light',
  kinds: KINDS,
})
const peer = await network.connect(new URLSearchParams(location.search).get('node')!)
const answer = await network.request(peer, 'question', new TextEncoder().encode('who are you?'))
network.send(peer, 'statement', answer)
