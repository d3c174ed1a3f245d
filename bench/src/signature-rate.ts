import { rateOfAllCores } from './all-cores.ts'

/** Ed25519 checks a second of all cores together, with the verifier of the node and nothing else running. */
export function measureSignatureRate(seconds: number): Promise<number> {
  return rateOfAllCores(new URL('./signature-worker.ts', import.meta.url), { seconds })
}
