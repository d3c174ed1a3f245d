#!/usr/bin/env node
/**
 * The command `althing`: runs the program on Node 24 or newer, also when called with an older one.
 * @module
 */
import { fileURLToPath } from 'node:url'
import { findNode, nodeMissing, runInstead } from './find-node.mjs'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const program = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))

const node = findNode(packageFolder)
if (node === undefined) {
  console.error(nodeMissing)
  process.exit(1)
}
runInstead(node, [program, ...process.argv.slice(2)])
