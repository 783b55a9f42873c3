// `subscribers …` and `suppressions …`.

import { anyFrequency } from '../subscribers/choices.ts'
import type { Command } from 'commander'
import { subscribersErase, subscribersExport } from './subscribers/subscribers.ts'
import { type ImportArgs, subscribersImport } from './subscribers/import.ts'
import { suppressionReasons } from '../subscribers/suppression-list.ts'
import { type SuppressionArgs, suppressionsList, suppressionsUndo } from './subscribers/suppressions.ts'
import { resolvePath } from './session.ts'
import type { AddCommands } from './add-commands.ts'

export const subscriberCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const ctx = async () => (await session.open()).ctx

  const subscribers = program.command('subscribers').description('Subscribers: import, export, erase.')
  subscribers
    .command('import')
    .description('take subscribers from a list of any system: a report first; nobody is mailed about it')
    .argument('<file>', 'a CSV, text or JSON file, a folder of them, or a ZIP archive')
    .requiredOption('--source <text>', 'where the addresses come from: goes into every consent record')
    .option('--dry-run', 'say what would happen, change nothing')
    .option('--yes', "don't ask after the report; without a terminal nobody is asked")
    .option('--map <column=meaning>', '"Adresse=email", "Segment:Gold=subscribed"; may be repeated', collect)
    .option('--choice <column:value=category:frequency>', '"Tag:news=politics:daily"; may be repeated', collect)
    .option('--ignore-column <name>', 'a column that says nothing about who may be mailed; may be repeated', collect)
    .option('--category <slug>', 'for all rows, instead of what file or site say; may be repeated', collect)
    .option('--frequency <frequency>', `${anyFrequency}, for all rows`)
    .option('--confirm', 'ask the subscribed ones to opt in again; they get nothing before they do')
    .option('--json', 'one JSON object a line')
    .action(
      does(async (file: string, options: Omit<ImportArgs, 'file'>) =>
        subscribersImport(await ctx(), { file: resolvePath(session, file), ...options }, out, session),
      ),
    )
  subscribers
    .command('export')
    .description('all of them as CSV')
    .option('--status <status>', 'only these: active, pending, unsubscribed or suppressed')
    .option('--json', 'one JSON object a line')
    .action(
      does(async (options: { json?: boolean; status?: string }) =>
        subscribersExport(await ctx(), options, out, session.signal),
      ),
    )
  subscribers
    .command('erase')
    .description('Erase everything about an address. Only a keyed hash stays, so that it is never mailed again.')
    .argument('<email>')
    .option('--json', 'one JSON object')
    .action(
      does(async (email: string, options: { json?: boolean }) =>
        subscribersErase(await ctx(), { email, ...options }, out),
      ),
    )

  const suppressions = program.command('suppressions').description('Addresses that must not be mailed.')
  const filtered = (command: Command) =>
    command
      .option('--reason <reason>', suppressionReasons.join(', '))
      .option('--domain <domain>', 'domain of the address')
      .option('--from <time>', 'suppressed at or after this time, such as 2026-03-02T07:00:00Z')
      .option('--to <time>', 'suppressed before this time')
      .option('--json', 'one JSON object a line')
  filtered(suppressions.command('list').description('List suppressed addresses, newest first.')).action(
    does(async (options: SuppressionArgs) => suppressionsList(await ctx(), options, out)),
  )
  filtered(
    suppressions
      .command('undo')
      .description(
        'Lift the suppressions of one reason, also by domain and time. Each subscriber gets its former status back.',
      ),
  )
    .option('--yes', "don't ask")
    .action(
      does(async (options: SuppressionArgs & { yes?: boolean }) =>
        suppressionsUndo(await ctx(), options, out, (question) => session.confirm(question)),
      ),
    )
}

function collect(value: string, values: readonly string[] = []): string[] {
  return [...values, value]
}
