/**
 * An authority moves to another machine with all its votes, so that it cannot vote twice (PC-3, R12).
 * M1  the key is unusable here, durably, before the file that carries it away has its name
 * M2  what arrives is usable only when its votes are durable; a crash in between leaves a key that signs nothing
 * M3  votes come home only when they are not older than those that stayed
 * What cannot be prevented: the file being taken to two machines. It is one authority; it belongs on one machine.
 * @module
 */
import { existsSync, linkSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { dirname, join } from 'node:path'
import { bytesToHex, equalBytes, hexToBytes } from '@althing/base'
import type { Hash } from '@althing/base'
import { replayVoteLog } from '@althing/chain'
import type { RestoredLog, VotePosition } from '@althing/chain'
import { addKeyFile, keyFileContent, openKeyFile, parseKeyFile, replaceKeyFile } from '../keys/key-file.ts'
import type { KeyFile } from '../keys/key-file.ts'
import { voteLogFolder } from './authority-keys.ts'
import { placeVoteLogFiles, readVoteLogFiles } from './vote-log-segments.ts'
import type { VoteLogSegment } from './vote-log-segments.ts'

export type MoveErrorCode = 'MOVE_FILE_EXISTS' | 'MOVE_FILE_UNUSABLE' | 'MOVE_REFUSED'

export class MoveError extends Error {
  override readonly name = 'MoveError'
  readonly code: MoveErrorCode

  constructor(code: MoveErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Where an authority keeps what must not be in two places. */
export interface AuthorityHome {
  readonly genesis: Hash
  readonly keyFile: string
  readonly dataFolder: string
}

export interface MovedAuthority {
  readonly publicKey: Uint8Array
  /** The highest vote that was ever signed; null when the votes stayed behind: the authority has to rejoin. */
  readonly signed: VotePosition | null
}

const FORMAT = 'althing-authority/1'
const FILE_BYTES_MAX = 512 * 1024 * 1024

/**
 * Writes key and votes into `file`. From then on the key signs nothing here. The node must not run.
 * @param options.votes false leaves the votes: the authority can then only rejoin where it goes.
 * @param options.again the key was exported before, and that file is lost.
 * @throws {MoveError} @throws {KeyFileError}
 */
export async function exportAuthority(
  home: AuthorityHome,
  file: string,
  options: { readonly votes: boolean; readonly again: boolean },
): Promise<MovedAuthority> {
  const key = await openKeyFile(home.keyFile)
  if (key.exportedAt !== null && !options.again) {
    throw new MoveError(
      'MOVE_REFUSED',
      `The key of ${home.keyFile} was exported on ${key.exportedAt}. Add --again only when that file is lost and was imported nowhere: two machines with one key sign twice.`,
    )
  }
  if (existsSync(file))
    throw new MoveError('MOVE_FILE_EXISTS', `There is a file ${file} already; name another.`)
  const votes = options.votes ? intactVotes(home, key.publicKey) : null
  const content = {
    format: FORMAT,
    genesis: bytesToHex(home.genesis),
    key: keyFileContent({ ...key, exportedAt: null }),
    votes:
      votes?.segments.map(({ sequence, bytes }) => ({
        sequence,
        bytes: Buffer.from(bytes).toString('base64'),
      })) ?? null,
  }
  const draft = `${file}.${randomUUID()}`
  try {
    await writeDurably(draft, JSON.stringify(content))
    await replaceKeyFile(home.keyFile, { ...key, exportedAt: key.exportedAt ?? new Date().toISOString() })
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
    throw new MoveError('MOVE_FILE_UNUSABLE', `${file} cannot be written: ${(error as Error).message}`, {
      cause: error,
    })
  } finally {
    rmSync(draft, { force: true })
  }
  return { publicKey: key.publicKey, signed: votes?.signed ?? null }
}

/**
 * Takes an exported authority in. The node must not run.
 * @throws {MoveError} `MOVE_FILE_UNUSABLE`, `MOVE_REFUSED`. @throws {KeyFileError}
 */
export async function importAuthority(home: AuthorityHome, file: string): Promise<MovedAuthority> {
  const { key, genesis, segments } = readMoveFile(file)
  if (!equalBytes(genesis, home.genesis)) {
    throw new MoveError(
      'MOVE_REFUSED',
      `${file} is of an authority of another chain: genesis ${bytesToHex(genesis)}, here ${bytesToHex(home.genesis)}.`,
    )
  }
  const before = existsSync(home.keyFile) ? await openKeyFile(home.keyFile) : null
  if (before !== null && before.exportedAt === null) {
    throw new MoveError(
      'MOVE_REFUSED',
      `There is a key in ${home.keyFile} that signs here. Nothing was changed; name another file in consensus.authority_key_file.`,
    )
  }
  const identity = { genesis, key: key.publicKey }
  const log = segments === null ? null : replayed(identity, segments, file)
  const votesFolder = voteLogFolder(home.dataFolder, key.publicKey)
  const stayed = replayVoteLog(identity, readVoteLogFiles(votesFolder))
  if (log !== null && stayed.intact && isBefore(signedIn(log), signedIn(stayed.log))) {
    throw new MoveError(
      'MOVE_REFUSED',
      `${file} is older than the votes in ${votesFolder}. Import the newest export of this authority.`,
    )
  }
  if (existsSync(votesFolder)) renameSync(votesFolder, `${votesFolder}.replaced-${Date.now()}`)
  if (segments !== null) placeVoteLogFiles(votesFolder, segments)
  await (before === null ? addKeyFile(home.keyFile, key) : replaceKeyFile(home.keyFile, key))
  return { publicKey: key.publicKey, signed: log === null ? null : signedIn(log) }
}

function intactVotes(
  { genesis, dataFolder }: AuthorityHome,
  publicKey: Uint8Array,
): { readonly segments: VoteLogSegment[]; readonly signed: VotePosition } {
  const votesFolder = voteLogFolder(dataFolder, publicKey)
  const found = readVoteLogFiles(votesFolder)
  const log = replayed({ genesis, key: publicKey }, found, votesFolder)
  const bytesBySequence = new Map(found.map(({ sequence, bytes }) => [sequence, bytes]))
  const segments = log.segments.map(({ sequence, bytes }) => ({
    sequence,
    bytes: bytesBySequence.get(sequence)!.subarray(0, bytes),
  }))
  return { segments, signed: signedIn(log) }
}

function replayed(
  identity: { readonly genesis: Hash; readonly key: Uint8Array },
  segments: readonly VoteLogSegment[],
  where: string,
): RestoredLog {
  const replay = replayVoteLog(identity, segments)
  if (replay.intact) return replay.log
  throw new MoveError(
    'MOVE_FILE_UNUSABLE',
    `The votes in ${where} cannot be trusted: ${replay.reason}. Export without --with-votes: the authority then rejoins before it votes.`,
  )
}

/** The highest vote that a log knows of. */
function signedIn(log: RestoredLog): VotePosition {
  let highest = log.forgotten
  for (const record of log.segments.flatMap((segment) => segment.records)) {
    if (record.kind === 'vote' && isBefore(highest, record.vote)) highest = record.vote
  }
  return { epoch: highest.epoch, view: highest.view }
}

function isBefore(a: VotePosition, b: VotePosition): boolean {
  return a.epoch < b.epoch || (a.epoch === b.epoch && a.view < b.view)
}

interface MoveFile {
  readonly genesis: Hash
  readonly key: KeyFile
  readonly segments: VoteLogSegment[] | null
}

function readMoveFile(file: string): MoveFile {
  const unusable = (why: string, cause?: unknown): MoveError =>
    new MoveError('MOVE_FILE_UNUSABLE', `${file} is no exported authority: ${why}`, { cause })
  let content: { format?: unknown; genesis?: unknown; key?: unknown; votes?: unknown }
  try {
    if (statSync(file).size > FILE_BYTES_MAX) throw new Error(`it is larger than ${FILE_BYTES_MAX} bytes`)
    content = JSON.parse(readFileSync(file, 'utf8')) as typeof content
  } catch (cause) {
    // A syntax error quotes the file, and there is a key in it.
    throw cause instanceof SyntaxError
      ? unusable('it is not JSON; it may be cut off')
      : unusable((cause as Error).message, cause)
  }
  if (content?.format !== FORMAT) throw unusable(`its "format" is not "${FORMAT}"`)
  const genesis = typeof content.genesis === 'string' ? hexToBytes(content.genesis) : null
  if (genesis?.length !== 32) throw unusable('its "genesis" is not 64 hexadecimal digits')
  const key = parseKeyFile(file, content.key)
  if (content.votes === null) return { genesis, key, segments: null }
  if (!Array.isArray(content.votes)) throw unusable('its "votes" is not a list')
  const segments = content.votes.map((one: { sequence?: unknown; bytes?: unknown } | null) => {
    if (!Number.isSafeInteger(one?.sequence) || typeof one?.bytes !== 'string')
      throw unusable('a part of its "votes" is not as it was written')
    return { sequence: one.sequence as number, bytes: Uint8Array.from(Buffer.from(one.bytes, 'base64')) }
  })
  return { genesis, key, segments }
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.writeFile(text)
  await handle.sync()
  if (process.platform === 'win32') return
  await using folder = await open(dirname(join(file)), 'r')
  await folder.sync()
}
