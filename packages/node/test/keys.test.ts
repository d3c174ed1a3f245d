import { strict as assert } from 'node:assert'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { bytesToHex, utf8ToBytes, verifyPortable } from '@althing/base'
import { createKeyFile, loadSigner, readKeyFile } from '../src/keys/index.ts'
import { readNetworkKey } from '../src/keys/network-key.ts'

const seed = new Uint8Array(32).fill(0xab)
const seedHex = bytesToHex(seed)
let folder = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'althing-keys-'))
})
after(() => rm(folder, { recursive: true }))

describe('a key file', () => {
  test('is read back as it was made, by its owner only, and leaves no draft behind', async () => {
    const file = join(folder, 'made', 'node.key')
    const made = await createKeyFile(file, seed)
    const read = await readKeyFile(file)
    assert.deepEqual(read.seed, seed)
    assert.deepEqual(read.publicKey, made.publicKey)
    if (process.platform !== 'win32') assert.equal((await stat(file)).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(join(folder, 'made')), ['node.key'])
  })

  test('holds a new random key when none is given', async () => {
    const [a, b] = [await createKeyFile(join(folder, 'a.key')), await createKeyFile(join(folder, 'b.key'))]
    assert.notDeepEqual(a.publicKey, b.publicKey)
  })

  test('signs', async () => {
    const file = join(folder, 'signs.key')
    await createKeyFile(file)
    const signer = await loadSigner(file)
    const message = utf8ToBytes('message')
    assert.ok(verifyPortable(signer.publicKey, message, signer.sign(message)))
  })

  test('is never overwritten', async () => {
    const file = join(folder, 'kept.key')
    await createKeyFile(file, seed)
    await assert.rejects(createKeyFile(file), { code: 'KEY_EXISTS' })
    assert.deepEqual((await readKeyFile(file)).seed, seed)
  })

  test('that others may read is refused, with the command that mends it', async () => {
    const file = join(folder, 'open.key')
    await createKeyFile(file, seed)
    for (const mode of [0o640, 0o604, 0o620]) {
      await chmod(file, mode)
      await assert.rejects(readKeyFile(file), {
        code: 'KEY_EXPOSED',
        message: `The key file ${file} may be used by others (mode 0${mode.toString(8)}). Run: chmod 600 '${file}'`,
      })
    }
  })

  test('that is not there is said to be missing', async () => {
    await assert.rejects(readKeyFile(join(folder, 'none.key')), {
      code: 'KEY_MISSING',
      message: /althing key new/,
    })
    await assert.rejects(readKeyFile(folder), { code: 'KEY_UNREADABLE' })
  })

  const content = (change: object): string =>
    JSON.stringify({ type: 'ed25519', public_key: '00'.repeat(32), seed: seedHex, ...change })
  const broken: [string, string, RegExp][] = [
    ['empty', '', /it is empty/],
    ['cut off', content({}).slice(0, 120), /it is not JSON; it may be cut off/],
    ['another kind of file', 'x'.repeat(5000), /it has 5000 bytes/],
    ['null', 'null', /"type" is not "ed25519"/],
    ['of another type', content({ type: 'rsa' }), /"type" is not "ed25519"/],
    ['with a short seed', content({ seed: seedHex.slice(2) }), /"seed" is not 64 hexadecimal digits/],
    ['with the public key of another', content({}), /"public_key" is not that of its seed/],
  ]
  for (const [name, text, message] of broken) {
    test(`that is ${name} is refused without showing what is in it`, async () => {
      const file = join(folder, 'broken.key')
      await writeFile(file, text, { mode: 0o600 })
      await assert.rejects(readKeyFile(file), (error: Error & { code: string }) => {
        assert.equal(error.code, 'KEY_MALFORMED')
        assert.match(error.message, message)
        assert.ok(!inspect(error, { depth: 9 }).includes(seedHex.slice(0, 20)))
        return true
      })
    })
  }

  test('does not show its seed when it is printed or turned into JSON', async () => {
    const file = join(folder, 'secret.key')
    const key = await createKeyFile(file, seed)
    assert.ok((await readFile(file, 'utf8')).includes(seedHex))
    assert.ok(!inspect(key, { depth: 9, showHidden: true }).includes('171'))
    assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(key)) as object), ['publicKey'])
  })
})

describe('the key file of a private network', () => {
  const text = `/key/swarm/psk/1.0.0/\n/base16/\n${seedHex}\n`

  test('is read as all of libp2p writes it', async () => {
    const file = join(folder, 'swarm.key')
    await writeFile(file, text, { mode: 0o600 })
    assert.deepEqual(await readNetworkKey(file), seed)
  })

  const refused = [
    { name: 'readable by others', content: text, mode: 0o644, code: 'KEY_EXPOSED' },
    { name: 'cut off', content: text.slice(0, -3), mode: 0o600, code: 'KEY_MALFORMED' },
    { name: 'of another kind', content: seedHex, mode: 0o600, code: 'KEY_MALFORMED' },
  ]
  for (const { name, content, mode, code } of refused) {
    test(`that is ${name} is refused without showing what is in it`, async () => {
      const file = join(folder, `${name}.key`)
      await writeFile(file, content, { mode })
      await assert.rejects(readNetworkKey(file), (error: Error & { code?: string }) => {
        assert.equal(error.code, code)
        assert.ok(!inspect(error).includes(seedHex.slice(0, 8)))
        return true
      })
    })
  }
})
