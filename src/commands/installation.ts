// The installation as a whole: `move`, `backup`, `restore`, `export`.

import { Refusal } from '../base/errors.ts'
import type { MoveArgs } from './installation/move.ts'
import type { AddCommands } from './add-commands.ts'

export const installationCommands: AddCommands = (program, session, does) => {
  program
    .command('move')
    .description(
      'Move everything from the embedded database to Postgres. Any other target or source makes a copy, in which sending is held until you release it.',
    )
    .requiredOption('--to <target>', 'an empty database (postgres://USER:PASSWORD@HOST/NAME) or a new folder')
    .option('--anonymous', 'make a copy in which all personal data and keys are replaced')
    .option('--even-though-moved', 'move again from a folder that was already moved')
    .option('--json', 'one JSON object')
    .action(does(async (options: MoveArgs) => (await import('./installation/move.ts')).move(session, options)))
  program
    .command('backup')
    .description('Write everything in the database into one file, for restore. The server may run meanwhile.')
    .argument('<file>', 'a new file; .gz and .zst are compressed')
    .option('--with-secret', 'include SECRET_KEY')
    .option('--json', 'one JSON object')
    .action(
      does(async (file: string, options: { withSecret?: boolean; json?: boolean }) =>
        (await import('./installation/backup.ts')).backup(session, file, options),
      ),
    )
  program
    .command('restore')
    .description(
      'Restore a backup, or an export of everything, into the empty database of this environment. Sending is then held until you release it.',
    )
    .argument('<file>')
    .option('--json', 'one JSON object')
    .action(
      does(async (file: string, options: { json?: boolean }) =>
        (await import('./installation/backup.ts')).restore(session, file, options),
      ),
    )
  program
    .command('export')
    .description('Print everything in the database as JSON lines, for restore.')
    .option('--everything', 'required; for subscribers alone use subscribers export')
    .option('--anonymous', 'replace all personal data and keys')
    .action(
      does(async (options: { everything?: boolean; anonymous?: boolean }) => {
        if (!options.everything)
          throw new Refusal('invalid', 'Add --everything, or use subscribers export for the subscribers alone.')
        return (await import('./installation/backup.ts')).exportEverything(session, options)
      }),
    )
}
