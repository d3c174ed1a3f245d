/**
 * A thread that puts statements into the state tree, with nothing around it, and answers how many a second.
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads'
import { StateTree } from '@althing/ledger'
import { PageStore } from '../tree.ts'
import { readVocabularies, repeated } from './dataset.ts'
import { statementChanges } from './statement-changes.ts'

const { statements } = workerData as { readonly statements: number }
const batches = statementChanges([...repeated(await readVocabularies(), statements)].flat())

/** In the order: ready, told to begin, the answer. */
parentPort!.once('message', () => {
  const store = new PageStore()
  const tree = new StateTree(store, null)
  const startMs = performance.now()
  for (const batch of batches) store.commit(tree, batch)
  const count = batches.reduce((sum, { length }) => sum + length, 0)
  parentPort!.postMessage((count * 1000) / (performance.now() - startMs))
})
parentPort!.postMessage('ready')
