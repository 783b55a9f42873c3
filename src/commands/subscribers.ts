// `subscribers …`.

import { subscribersErase, subscribersExport } from '../subscribers/commands.ts'
import { type ImportArgs, subscribersImport } from '../subscribers/import-command.ts'
import type { AddCommands } from './program.ts'
import { resolvePath } from './session.ts'

export const subscriberCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const ctx = async () => (await session.open()).ctx

  const subscribers = program.command('subscribers').description('who gets the newsletter')
  subscribers
    .command('import')
    .description('take subscribers from a CSV file with a column "email"; nobody is mailed about it')
    .argument('<file>', 'columns: email, status, frequency[<slug>], timezone, send_hour, …: as export writes them')
    .requiredOption('--source <text>', 'where the addresses come from: goes into every consent record')
    .option('--dry-run', 'say what would happen, change nothing')
    .option('--yes', "don't ask after the report; without a terminal nobody is asked")
    .option('--ignore-column <name>', 'a column that says nothing about who may be mailed; may be repeated', collect)
    .option('--frequency <frequency>', 'daily, weekly or monthly: all categories, for lines that choose none')
    .option('--json', 'one JSON object a line')
    .action(
      does(async (file: string, options: Omit<ImportArgs, 'file'>) =>
        subscribersImport(await ctx(), { file: resolvePath(session, file), ...options }, out, session),
      ),
    )
  subscribers
    .command('export')
    .description('all of them as CSV')
    .option('--json', 'one JSON object a line')
    .action(does(async (options: { json?: boolean }) => subscribersExport(await ctx(), options, out, session.signal)))
  subscribers
    .command('erase')
    .description('forget everything about an address; only a keyed fingerprint stays, so that it is never mailed again')
    .argument('<email>')
    .option('--json', 'one JSON object')
    .action(
      does(async (email: string, options: { json?: boolean }) =>
        subscribersErase(await ctx(), { email, ...options }, out),
      ),
    )
}

function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value]
}
