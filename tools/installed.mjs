/**
 * Whether `node_modules` holds what the lockfile asks for. Plain JavaScript that Node 20 reads.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Compares the lockfile with npm's own record of what it installed, by content: a touched or freshly checked
 * out lockfile asks for no new install. Optional packages may be missing, since other platforms' are.
 * @param {string} root The folder of `package-lock.json`.
 * @returns {boolean}
 */
export function isInstalled(root) {
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (installed === undefined) return false
  const locked = readPackages(join(root, 'package-lock.json')) ?? {}
  return Object.entries(locked).every(([path, wanted]) => {
    if (path === '') return true
    const found = installed[path]
    if (found === undefined) return wanted.optional === true
    return found.version === wanted.version && found.integrity === wanted.integrity
  })
}

/**
 * The `packages` of a lockfile; `undefined` when there is no readable one (an install was broken off).
 * @param {string} path
 * @returns {Record<string, { version?: string, integrity?: string, optional?: boolean }> | undefined}
 */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return undefined
  }
}
