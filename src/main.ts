// One process: `npm start` is the command `start`, which runs until a signal. Compiled code is cached in the system's temporary
// folder, which makes a restart a fifth faster. If that can't be written, nothing else changes.

import { enableCompileCache } from 'node:module'
import { keepHeapFlat } from './base/flat-heap.ts'

enableCompileCache()
keepHeapFlat()
const { runFromTerminal } = await import('./commands/terminal.ts')
await runFromTerminal(['start', ...process.argv.slice(2)])
