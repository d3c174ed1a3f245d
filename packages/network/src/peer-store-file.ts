/**
 * The known peers in a file: replaced at once, so that a crash leaves the old one or the new one; for the owner's eyes only.
 * @module
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PeerStore } from './records.ts'

/** @param path its folder is made when it is not there. */
export function peerStoreFile(path: string): PeerStore {
  return {
    async load() {
      try {
        return await readFile(path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
        throw error
      }
    },
    async save(bytes) {
      await mkdir(dirname(path), { recursive: true })
      const beside = `${path}.new`
      const file = await open(beside, 'w', 0o600)
      try {
        await file.chmod(0o600) // a file left by a crash keeps its mode
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(beside, path)
    },
  }
}
