// One process: `npm start` is the command `start`, which runs until a signal.

import { runFromTerminal } from './commands/terminal.ts'

await runFromTerminal(['start', ...process.argv.slice(2)])
