/** A real browser joins as a client (VC-9): a page, bundled, in headless Chromium. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { startNetwork } from '../src/index.ts'
import { until } from '../src/testing/index.ts'
import { KINDS, NETWORK } from './browser/network.ts'

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome']
const FOLDERS = (process.env['PATH'] ?? '').split(delimiter)
const browser = BROWSERS.flatMap((name) => FOLDERS.map((folder) => join(folder, name))).find(existsSync)
const missing = browser === undefined && `no browser: install one of ${BROWSERS.join(', ')}`

/** The page and everything that it imports, as one script. Fails when any of it needs Node. */
async function bundle(): Promise<string> {
  const page = fileURLToPath(new URL('browser/page.ts', import.meta.url))
  const { outputFiles } = await build({
    entryPoints: [page],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2024',
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}

/** Tells the test what went wrong in the page. */
const HTML = `<!doctype html>
<script>
  const tell = (error) => fetch('/failed', { method: 'POST', body: String(error) })
  addEventListener('error', ({ message }) => tell(message))
  addEventListener('unhandledrejection', ({ reason }) => tell(reason))
</script>
<script type="module" src="/page.js"></script>`

async function serve(script: string, failed: (message: string) => void): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.url === '/failed') void text(request).then(failed)
    const isScript = request.url === '/page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : HTML)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function open(url: string, profile: string): ChildProcess {
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage']
  return spawn(browser!, [...flags, `--user-data-dir=${profile}`, url], {
    stdio: 'ignore',
  })
}

test('the page is bundled without anything of Node', async () => {
  assert.match(await bundle(), /question/)
})

test('a page joins over WebSocket, asks a node and speaks to it', { skip: missing }, async () => {
  await using stack = new AsyncDisposableStack()
  const node = await startNetwork({
    ...NETWORK,
    identity: new Uint8Array(32).fill(1),
    listen: ['/ip4/127.0.0.1/tcp/0/ws'],
    bootstrap: [],
    nodeType: 'full',
    kinds: KINDS,
  })
  stack.defer(() => node.stop())
  node.handleRequest('question', ({ body }) =>
    new TextEncoder().encode(`asked: ${new TextDecoder().decode(body)}`),
  )
  const statements: string[] = []
  node.handle('statement', ({ body }) => statements.push(new TextDecoder().decode(body)))

  const failures: string[] = []
  const server = await serve(await bundle(), (message) => failures.push(message))
  stack.defer(() => new Promise((resolve) => server.close(() => resolve())))
  stack.defer(() => server.closeAllConnections())
  const profile = await mkdtemp(join(tmpdir(), 'althing-browser-'))
  stack.defer(() => rm(profile, { recursive: true, force: true, maxRetries: 5 }))
  const { port } = server.address() as AddressInfo
  const opened = open(`http://127.0.0.1:${port}/?node=${encodeURIComponent(node.addresses()[0]!)}`, profile)
  stack.defer(async () => {
    const ended = new Promise((resolve) => opened.once('exit', resolve))
    opened.kill()
    await ended
  })

  await until('the page spoke', () => statements.length + failures.length > 0, 60_000)
  assert.deepEqual(failures, [])
  assert.deepEqual(statements, ['asked: who are you?'])
  assert.deepEqual(
    node.peers().map(({ nodeType, direction }) => [nodeType, direction]),
    [['light', 'inbound']],
  )
})
