// `digest …`, `brake …`, `seed` and `preview`.

import type { Command } from 'commander'
import { composersOf } from '../composers.ts'
import { DeliveryWorker } from '../delivery/worker.ts'
import { brakeDecide, brakeList } from './digests/brakes.ts'
import { previewCommand } from './digests/preview.ts'
import { digestRun, type DigestRunArgs, type DigestRunParts } from './digests/run.ts'
import { seed, type SeedArgs } from './digests/seed.ts'
import { deadAddressesOf } from '../subscribers/suppression.ts'
import { Mailbox } from '../trial/mailbox.ts'
import { startMailboxServer } from '../trial/mailbox-server.ts'
import { resolvePath, type Session } from './session.ts'
import { digestExplain } from './digests/explain.ts'
import { type AddCommands, wholeNumber } from './add-commands.ts'

export const digestCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const json = ['--json', 'print one JSON object per line'] as const

  const digest: Command = program.command('digest').description('Editions: send what is due, or explain what was sent.')
  digest
    .command('run')
    .description('Plan what is due, send it, and wait until it is sent.')
    .option('--dry-run', 'report who would get what and why, and the size of each mail; change and send nothing')
    .option(
      '--as-of <time>',
      'use this instant as the current time for slots and retries, such as 2026-03-02T07:00:00Z',
    )
    .option('--far', 'with --as-of: allow more than 8 days ahead; every slot until then counts as missed')
    .option('--only <email>', 'only this subscriber')
    .option(
      '--manual',
      'send an edition to all subscribers now, whatever their frequency, with the stories each has not got yet',
    )
    .option('--category <slug...>', 'with --manual: only these categories (slugs)')
    .option('--retry-hours <n>', 'with --manual: stop retrying deferred mails after this many hours', wholeNumber(1))
    .option('--plan-only', 'plan only; a running worker sends')
    .option(...json)
    .action(
      does(async (options: DigestRunArgs) => {
        const { ctx } = await session.open()
        const sending = await prepareSending(session, options)
        try {
          return await digestRun(ctx, options, out, { openWorker: sending.openWorker, signal: session.signal })
        } finally {
          await sending.close()
        }
      }),
    )
  digest
    .command('explain')
    .description('Say why an address did or didn’t get each recent edition.')
    .argument('<email>')
    .option(...json)
    .action(
      does(async (email: string, options: { json?: boolean }) =>
        digestExplain((await session.open()).ctx, { email, ...options }, out),
      ),
    )

  const brake: Command = program
    .command('brake')
    .description('Brakes: mail that waits because implausibly many addresses were reported as dead.')
  brake
    .command('list')
    .description('List the brakes that are on.')
    .option('--all', 'also those that are decided')
    .option(...json)
    .action(
      does(async (options: { all?: boolean; json?: boolean }) => brakeList((await session.open()).ctx, options, out)),
    )
  brake
    .command('decide')
    .description('Decide about all mail that waits under a brake.')
    .argument('<id>', 'number of the brake, as shown by brake list', wholeNumber(1))
    .argument('<decision>', 'send-again; or addresses-are-dead, which send-again can undo')
    .option(...json)
    .action(
      does(async (id: number, decision: string, options: { json?: boolean }) =>
        brakeDecide((await session.open()).ctx, { id, decision, ...options }, out),
      ),
    )

  program
    .command('seed')
    .description('Add made-up subscribers and stories for experiments.')
    .requiredOption(
      '--subscribers <n>',
      'how many subscribers, over 50 recipient domains and with varied choices',
      wholeNumber(0),
    )
    .option('--articles <n>', 'how many new stories', wholeNumber(0))
    .option('--history <days>', 'days of past editions for some of them', wholeNumber(1))
    .option('--spread', 'spread them over all hours and days instead of one slot')
    .option(...json)
    .action(
      does(async (options: SeedArgs) => seed((await session.open()).ctx, { ...options, signal: session.signal }, out)),
    )

  program
    .command('preview')
    .description('Write every mail the program can send as HTML, text and .eml.')
    .option('--out <dir>', 'folder to write to', 'tmp/preview')
    .option(...json)
    .action(
      does(async (options: { out: string; json?: boolean }) =>
        previewCommand((await session.open()).ctx, { ...options, out: resolvePath(session, options.out) }, out),
      ),
    )
}

/** A worker for this command, unless the server that runs it has one with the same `now`. */
async function prepareSending(
  session: Session,
  options: DigestRunArgs,
): Promise<{ openWorker: DigestRunParts['openWorker']; close(): Promise<void> }> {
  const { ctx, database, relays } = await session.open()
  const isLeftToOthers = options.dryRun || options.planOnly || (session.isInServer && options.asOf === undefined)
  if (isLeftToOthers) return { openWorker: null, close: async () => {} }
  const mailbox =
    ctx.config.trial && !relays ? await startMailboxServer(new Mailbox(ctx.config.database.dataDir), ctx.log) : null
  const own = mailbox ? [mailbox.relay] : relays
  return {
    openWorker: (asOf) =>
      new DeliveryWorker({
        database,
        config: ctx.config,
        log: ctx.log,
        composers: composersOf(ctx),
        deadAddresses: deadAddressesOf(ctx),
        ...(own ? { relays: own } : {}),
        ...(asOf ? { asOf } : {}),
      }),
    close: async () => mailbox?.close(),
  }
}
