// The program, driven by words instead of requests: `npm run -s cli -- --help`. The words are in commands/program.ts; about the
// cache see main.ts.

import { enableCompileCache } from 'node:module'
import { keepHeapFlat } from './base/flat-heap.ts'

enableCompileCache()
keepHeapFlat()
const { runFromTerminal } = await import('./commands/terminal.ts')
await runFromTerminal(process.argv.slice(2))
