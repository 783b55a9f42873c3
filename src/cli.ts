// The program, driven by words instead of requests: `npm run -s cli -- --help`. The words are in commands/program.ts.

import { runFromTerminal } from './commands/terminal.ts'

await runFromTerminal(process.argv.slice(2))
