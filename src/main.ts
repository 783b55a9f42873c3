// One process: `npm start` is the command `start`, which runs until a signal. Compiled code is kept in the system's temporary
// folder, so that a restart costs a fifth less; where it can't be written nothing else changes.

import { enableCompileCache } from 'node:module'
import { keepHeapFlat } from './base/flat-heap.ts'

enableCompileCache()
keepHeapFlat()
const { runFromTerminal } = await import('./commands/terminal.ts')
await runFromTerminal(['start', ...process.argv.slice(2)])
