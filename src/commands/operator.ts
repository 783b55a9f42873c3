// Commands for operators: start, migrate, doctor, trial leave.

import { Option } from 'commander'
import type { Role } from '../app.ts'
import { Refusal } from '../base/errors.ts'
import { leaveTrial } from '../trial/trial-data.ts'
import { doctor } from './checks/doctor.ts'
import type { Session } from './session.ts'
import type { Out } from './out.ts'
import type { AddCommands } from './add-commands.ts'

export const operatorCommands: AddCommands = (program, session, does) => {
  const { out } = session
  program
    .command('start')
    .description('Run the server until Ctrl-C or SIGTERM.')
    .addOption(
      new Option('--role <role>', 'what this process does: serve pages (web), send and plan (worker), or both (all)')
        .choices(['all', 'web', 'worker'])
        .default('all'),
    )
    .option('--even-though-moved', 'start although this data folder was moved to Postgres: what it sends is sent twice')
    .action(
      does(async (options: { role: Role; evenThoughMoved?: boolean }) => {
        // Loaded only for `start`: loading the whole program takes a second.
        const { start } = await import('./start.ts')
        return start(session, options.role, options)
      }),
    )
  program
    .command('migrate')
    .description('Migrate the database schema to this version.')
    .option('--json', 'print one JSON object')
    .action(
      does(async (options: { json?: boolean }) => {
        const { migrated } = await session.open()
        if (options.json) out.print(JSON.stringify({ migrated }))
        else out.print(migrated.length ? `Applied ${migrated.join(', ')}.` : 'The schema is up to date.')
        return 0
      }),
    )
  program
    .command('doctor')
    .description(
      'Check configuration, database, clock, DNS, relays and feeds, and say what to fix. Exit code 1 if a check fails.',
    )
    .option('--json', 'print one JSON object per line')
    .action(does((options: { json?: boolean }) => doctor(session, options)))

  const trial = program.command('trial').description('The sample site of the trial.')
  trial
    .command('leave')
    .description('Remove the sample feeds, stories and categories. Subscribers and editions stay.')
    .option('--yes', "don't ask")
    .option('--json', 'print one JSON object')
    .action(does((options: { yes?: boolean; json?: boolean }) => trialLeave(session, options, out)))
}

async function trialLeave(session: Session, options: { yes?: boolean; json?: boolean }, out: Out): Promise<number> {
  const question = 'Remove the sample feeds, their stories, and the sample categories with their subscriptions?'
  if (!options.yes && !(await session.confirm(question)))
    throw new Refusal('conflict', 'Nothing was removed. Say yes at the prompt, or add --yes.')
  const { ctx } = await session.open()
  const left = await leaveTrial(ctx)
  if (options.json) {
    out.print(JSON.stringify(left))
    return 0
  }
  out.print(`Removed ${left.feeds} sample feeds, ${left.stories} stories and ${left.categories.length} categories.`)
  if (left.kept.length) out.print(`Kept, because they have feeds or stories of your own: ${left.kept.join(', ')}.`)
  out.print('Next: broadsheet category add NAME, then broadsheet feed add URL --category SLUG.')
  return 0
}
