// The program's commands instead of requests: `npm run -s cli -- --help`. commands/program.ts lists them; main.ts explains the
// cache.

import { enableCompileCache } from 'node:module'
import { keepHeapFlat } from './base/flat-heap.ts'

enableCompileCache()
keepHeapFlat()
const { runFromTerminal } = await import('./commands/terminal.ts')
await runFromTerminal(process.argv.slice(2))
