/** A child that never comes back from its first order. */
import { serveParent } from '../../src/child/serve.ts'

serveParent<'echo' | 'loop', string>((order, answer) => {
  answer(`${order} in ${process.pid}`)
  if (order === 'loop') for (;;);
})
