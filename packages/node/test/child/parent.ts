/** A parent of a child that is busy for ever; prints the child's pid and waits to be killed. */
import { Child } from '../../src/child/child.ts'

const child = new Child<'loop', string>(new URL('./busy.ts', import.meta.url), 64, (answer) =>
  console.log(answer),
)
child.send('loop')
setInterval(() => {}, 60_000)
