import { createMemoryNetwork } from '../src/index.ts'
import { networkCompliance } from '../src/testing/index.ts'

networkCompliance('memory', () => ({ transport: createMemoryNetwork().transport, listen: '/memory/0' }))
