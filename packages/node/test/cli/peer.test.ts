import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import type { Network } from '@althing/network'
import { apiOf, startTestNetwork } from '../network-fixture.ts'
import { althing } from './program.ts'

const TOKEN = 'a secret of 16 characters'

suite('althing peer (PC-13)', () => {
  let a: Network
  let b: Network
  let folder: string
  let app: ReturnType<typeof apiOf>
  let port: number

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'althing-peer-'))
    a = await startTestNetwork('198.51.100.7')
    b = await startTestNetwork('203.0.113.7')
    app = apiOf(a, { token: TOKEN, trustsCallers: false })
    await app.listen({ host: '127.0.0.1', port: 0 })
    port = (app.server.address() as AddressInfo).port
    await writeFile(join(folder, 'token'), `${TOKEN}\n`)
    await writeFile(join(folder, 'config.toml'), `[api]\nport = ${port}\ntoken_file = "token"\n`)
  })
  after(async () => {
    await app.close()
    await Promise.all([a.stop(), b.stop()])
    await rm(folder, { recursive: true })
  })

  const peer = (...args: string[]) => althing('peer', ...args, '--api', `http://127.0.0.1:${port}`)
  const configured = (...args: string[]) => althing('peer', ...args, '--config', join(folder, 'config.toml'))

  test('connect, list, show, reserve, ban, unban, disconnect', async () => {
    const id = b.peerId
    const said = async (...args: string[]) => {
      const { code, stdout, stderr } = await configured(...args)
      assert.deepEqual([code, stderr], [0, ''])
      return stdout
    }
    assert.equal(await said('list'), 'no peers\n')
    assert.equal(await said('connect', b.addresses()[0]!), `connected to ${id}\n`)
    assert.match(await said('list', '--connected'), new RegExp(`^${id} +full +healthy`, 'm'))
    const shown = await said('show', id)
    assert.match(shown, /^ {2}healthy, quality \d+ of 100, reputation 0/m)
    assert.match(shown, /^ {2}says it is at height 7, final 7$/m)
    assert.equal(JSON.parse(await said('show', id, '--json')).peer_id, id)
    assert.match(await said('reserve', id), /^a slot is kept for/)
    assert.match(await said('reserve', id, '--release'), /no slot of its own any more/)
    assert.match(
      await said('ban', id, '--for', '1d', '--reason', 'a test', '--by', 'ann'),
      /^banned .* until 2/,
    )
    assert.match(await said('list', '--banned'), new RegExp(`^${id} +2.* ann +a test$`, 'm'))
    assert.match(await said('list'), /banned/)
    assert.match(await said('unban', id), /is no longer banned/)
    assert.equal(await said('list', '--banned'), 'nobody is banned\n')
    await said('connect', b.addresses()[0]!)
    assert.equal(await said('disconnect', id), `disconnected ${id}\n`)
    assert.match(await said('show', id), /last session ended .*, by us: requested: by the operator/)
  })

  test('a change without the secret is refused, and says what to do; with --token-file it is done', async () => {
    const { code, stderr } = await peer('ban', '10.0.0.1')
    assert.equal(code, 1)
    assert.match(stderr, /^error TOKEN_REQUIRED: .*\n.*--token-file/)
    const banned = await peer('ban', '10.0.0.1', '--json', '--token-file', join(folder, 'token'))
    assert.equal(JSON.parse(banned.stdout).target, '10.0.0.1')
    const missing = await peer('ban', '10.0.0.1', '--token-file', join(folder, 'none'))
    assert.match(missing.stderr, /^error FILE_UNREADABLE: the token file/)
  })

  test('what is wrong is said', async () => {
    const wrong: [string[], RegExp][] = [
      [['show', 'nobody'], /^error PEER_UNKNOWN: this node has, and had, no session with nobody/],
      [
        ['ban', '10.0.0.1', '--for', '5'],
        /^error USAGE: .*Found "5"; expected a time such as 30m, 12h or 7d/,
      ],
      [['unban', '10.9.9.9', '--token-file', join(folder, 'token')], /^error BLACKLIST_ENTRY_UNKNOWN/],
    ]
    for (const [args, message] of wrong) assert.match((await peer(...args)).stderr, message)
    assert.match((await althing('peer', '--help')).stdout, /althing peer ban 198\.51\.100\.0\/24/)
  })
})
