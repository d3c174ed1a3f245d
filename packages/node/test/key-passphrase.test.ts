import { strict as assert } from 'node:assert'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { bytesToHex } from '@althing/base'
import {
  createKeyFile,
  newPassphraseFrom,
  openKeyFile,
  passphraseFrom,
  readKeyFile,
} from '../src/keys/index.ts'

const seed = new Uint8Array(32).fill(0xab)
const PASSPHRASE = 'correct horse battery staple'
let folder = ''
let file = ''

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'althing-passphrase-'))
  file = join(folder, 'sealed.key')
  await createKeyFile(file, seed, PASSPHRASE)
})
after(() => rm(folder, { recursive: true }))

const saying = (passphrase: string) => () => Promise.resolve(passphrase)

describe('a key file with a passphrase (PC-3)', () => {
  test('opens with it, and holds the seed nowhere in the clear', async () => {
    assert.deepEqual((await readKeyFile(file, saying(PASSPHRASE))).seed, seed)
    assert.ok(!(await readFile(file, 'utf8')).includes(bytesToHex(seed).slice(0, 16)))
  })

  test('shows whose it is without it', async () => {
    const { publicKey } = await openKeyFile(file)
    assert.deepEqual(publicKey, (await readKeyFile(file, saying(PASSPHRASE))).publicKey)
  })

  test('does not open with another, and says neither of them', async () => {
    await assert.rejects(
      readKeyFile(file, saying('another passphrase')),
      (error: Error & { code: string }) => {
        assert.equal(error.code, 'PASSPHRASE_WRONG')
        assert.doesNotMatch(error.message, /another passphrase|correct horse/)
        return true
      },
    )
  })

  test('takes its passphrase from a private file, else from the environment', async () => {
    const secret = join(folder, 'secret')
    await writeFile(secret, `${PASSPHRASE}\n`, { mode: 0o600 })
    assert.ok(await readKeyFile(file, passphraseFrom({ file: secret, environment: {} })))
    assert.ok(await readKeyFile(file, passphraseFrom({ environment: { ALTHING_PASSPHRASE: PASSPHRASE } })))
    await chmod(secret, 0o644)
    await assert.rejects(readKeyFile(file, passphraseFrom({ file: secret, environment: {} })), {
      code: 'KEY_EXPOSED',
    })
  })

  test('says what to do where there is nobody to ask', async () => {
    await assert.rejects(readKeyFile(file), { code: 'KEY_LOCKED', message: /ALTHING_PASSPHRASE/ })
  })

  test('refuses a passphrase that anybody would guess', async () => {
    const ask = newPassphraseFrom({ environment: { ALTHING_PASSPHRASE: 'short' } })
    await assert.rejects(ask(file), { code: 'PASSPHRASE_UNUSABLE' })
  })

  test('notices every change, and takes no memory for parameters out of bounds', async () => {
    const content = JSON.parse(await readFile(file, 'utf8')) as { encryption: Record<string, unknown> }
    const changed = join(folder, 'changed.key')
    const refused: [string, unknown, string][] = [
      ['n', 2 ** 30, 'KEY_MALFORMED'],
      ['n', 131_073, 'KEY_MALFORMED'],
      ['r', 0, 'KEY_MALFORMED'],
      ['p', 5, 'KEY_MALFORMED'],
      ['kdf', 'none', 'KEY_MALFORMED'],
      ['salt', 'ff', 'KEY_MALFORMED'],
      ['n', 16_384, 'PASSPHRASE_WRONG'],
      ['nonce', '00'.repeat(12), 'PASSPHRASE_WRONG'],
    ]
    for (const [name, value, code] of refused) {
      const encryption = { ...content.encryption, [name]: value }
      await writeFile(changed, JSON.stringify({ ...content, encryption }), { mode: 0o600 })
      await assert.rejects(readKeyFile(changed, saying(PASSPHRASE)), { code }, `${name} = ${String(value)}`)
    }
  })
})
