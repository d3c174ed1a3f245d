import { strict as assert } from 'node:assert'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { NOTARIZE } from '@althing/base'
import { encodeRecord } from '@althing/chain'
import { exportAuthority, importAuthority } from '../src/consensus/authority-move.ts'
import type { AuthorityHome } from '../src/consensus/authority-move.ts'
import { voteLogFolder } from '../src/consensus/authority-keys.ts'
import { openVoteLogFiles } from '../src/consensus/vote-log-files.ts'
import { createVoteLogFiles } from '../src/consensus/vote-log-segments.ts'
import { createKeyFile, readKeyFile } from '../src/keys/index.ts'

const genesis = new Uint8Array(32).fill(1)
const folders: string[] = []
let [here, there]: [AuthorityHome, AuthorityHome] = [] as never
let file = ''

async function newHome(): Promise<AuthorityHome> {
  const folder = await mkdtemp(join(tmpdir(), 'althing-move-'))
  folders.push(folder)
  return { genesis, keyFile: join(folder, 'authority.key'), dataFolder: folder }
}

async function vote(home: AuthorityHome, view: number): Promise<void> {
  const { publicKey: key } = await readKeyFile(home.keyFile)
  const { files, damage } = openVoteLogFiles(voteLogFolder(home.dataFolder, key), { genesis, key })
  assert.equal(damage, null)
  const hash = new Uint8Array(32).fill(2)
  const signature = new Uint8Array(64)
  const record = { kind: NOTARIZE, epoch: 0, anchor: genesis, view, hash, signer: 0, signature }
  files.append(encodeRecord({ kind: 'vote', vote: record }))
  await files.close()
}

beforeEach(async () => {
  here = await newHome()
  there = await newHome()
  file = join(await mkdtemp(join(tmpdir(), 'althing-move-')), 'moved')
  folders.push(join(file, '..'))
  const { publicKey: key } = await createKeyFile(here.keyFile)
  createVoteLogFiles(voteLogFolder(here.dataFolder, key), { genesis, key })
  await vote(here, 7)
})
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

const WITH_VOTES = { votes: true, again: false }

describe('an authority that moves (PC-3, R12)', () => {
  test('has all its votes where it goes, and signs nothing where it was', async () => {
    const moved = await exportAuthority(here, file, WITH_VOTES)
    assert.deepEqual(moved.signed, { epoch: 0, view: 7 })
    await assert.rejects(readKeyFile(here.keyFile), { code: 'KEY_EXPORTED' })
    assert.deepEqual((await importAuthority(there, file)).signed, { epoch: 0, view: 7 })
    const { publicKey: key } = await readKeyFile(there.keyFile)
    const { log, files } = openVoteLogFiles(voteLogFolder(there.dataFolder, key), { genesis, key })
    await files.close()
    assert.equal(log.rejoin, null)
    assert.equal(log.segments[0]!.records.length, 1)
  })

  test('without its votes can only rejoin', async () => {
    await exportAuthority(here, file, { votes: false, again: false })
    assert.equal((await importAuthority(there, file)).signed, null)
    const { publicKey: key } = await readKeyFile(there.keyFile)
    const { log, files } = openVoteLogFiles(voteLogFolder(there.dataFolder, key), { genesis, key })
    await files.close()
    assert.notEqual(log.rejoin, null)
  })

  test('comes home, but not with votes that are older than those that stayed', async () => {
    await exportAuthority(here, file, WITH_VOTES)
    await importAuthority(there, file)
    await vote(there, 9)
    const back = `${file}.back`
    await exportAuthority(there, back, WITH_VOTES)
    assert.deepEqual((await importAuthority(here, back)).signed, { epoch: 0, view: 9 })
    await exportAuthority(here, `${file}.third`, WITH_VOTES)
    await assert.rejects(importAuthority(here, file), {
      code: 'MOVE_REFUSED',
      message: /older than the votes/,
    })
  })

  test('is not exported twice by mistake, nor over a file, nor over a key that signs', async () => {
    await exportAuthority(here, file, WITH_VOTES)
    await assert.rejects(exportAuthority(here, `${file}.2`, WITH_VOTES), {
      code: 'MOVE_REFUSED',
      message: /--again/,
    })
    await assert.rejects(exportAuthority(here, file, { votes: true, again: true }), {
      code: 'MOVE_FILE_EXISTS',
    })
    await importAuthority(there, file)
    await assert.rejects(importAuthority(there, file), { code: 'MOVE_REFUSED' })
    await assert.rejects(importAuthority({ ...here, genesis: new Uint8Array(32) }, file), {
      code: 'MOVE_REFUSED',
      message: /another chain/,
    })
  })

  test('keeps what it has when its votes or the file are damaged', async () => {
    const { publicKey: key } = await readKeyFile(here.keyFile)
    await writeFile(join(voteLogFolder(here.dataFolder, key), '00000001.votes'), 'nonsense')
    await assert.rejects(exportAuthority(here, file, WITH_VOTES), { code: 'MOVE_FILE_UNUSABLE' })
    assert.ok(await readKeyFile(here.keyFile))
    await exportAuthority(here, file, { votes: false, again: false })
    const text = await readFile(file, 'utf8')
    await appendFile(file, 'x')
    await assert.rejects(importAuthority(there, file), (error: Error & { code: string }) => {
      assert.equal(error.code, 'MOVE_FILE_UNUSABLE')
      assert.doesNotMatch(error.message, /[0-9a-f]{32}/)
      return true
    })
    await writeFile(file, text)
    assert.ok(await importAuthority(there, file))
  })
})
