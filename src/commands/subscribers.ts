// `subscribers …`.

import { subscribersErase, subscribersExport, subscribersImport } from '../subscribers/commands.ts'
import type { AddCommands } from './program.ts'
import { resolvePath } from './session.ts'

export const subscriberCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const ctx = async () => (await session.open()).ctx

  const subscribers = program.command('subscribers').description('who gets the newsletter')
  subscribers
    .command('import')
    .description('take subscribers from a CSV file with a column "email"; nobody is mailed about it')
    .argument('<file>', 'columns: email, frequency[<slug>], timezone, send_hour, status, …: as export writes them')
    .option('--dry-run', 'say what would happen, change nothing')
    .option('--frequency <frequency>', 'daily, weekly or monthly: all categories, for lines that choose none')
    .option('--json', 'one JSON object a line')
    .action(
      does(async (file: string, options: { dryRun?: boolean; frequency?: string; json?: boolean }) =>
        subscribersImport(await ctx(), { file: resolvePath(session, file), ...options }, out),
      ),
    )
  subscribers
    .command('export')
    .description('all of them as CSV')
    .option('--json', 'one JSON object a line')
    .action(does(async (options: { json?: boolean }) => subscribersExport(await ctx(), options, out)))
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
