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
  const json = ['--json', 'one JSON object a line'] as const

  const digest: Command = program.command('digest').description('editions: run what is due, or explain one')
  digest
    .command('run')
    .description('the tick by hand: plan what is due, send it, wait until it is done')
    .option('--dry-run', 'say who gets what and why, and the size of each mail; change and send nothing')
    .option('--as-of <time>', 'take this instant for now, for slots and retries: 2026-03-02T07:00:00Z')
    .option('--far', 'with --as-of: more than 8 days ahead; everything due until then is passed as missed')
    .option('--only <email>', 'nobody else')
    .option('--manual', 'an edition for everyone, whatever the frequency; what each has seen stays out')
    .option('--category <slug...>', 'with --manual: only these categories')
    .option('--retry-hours <n>', 'with --manual: give up on deferred mails after so many hours', wholeNumber(1))
    .option('--plan-only', 'leave the sending to workers')
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
    .description('why this address did or didn’t get each recent edition')
    .argument('<email>')
    .option(...json)
    .action(
      does(async (email: string, options: { json?: boolean }) =>
        digestExplain((await session.open()).ctx, { email, ...options }, out),
      ),
    )

  const brake: Command = program
    .command('brake')
    .description('where mail waits because too many addresses were called dead')
  brake
    .command('list')
    .description('the brakes that are on, with a sentence each')
    .option('--all', 'those that were decided too')
    .option(...json)
    .action(
      does(async (options: { all?: boolean; json?: boolean }) => brakeList((await session.open()).ctx, options, out)),
    )
  brake
    .command('decide')
    .description('once and for all that waits under it: send again, or these addresses are dead')
    .argument('<id>', 'as list shows it', wholeNumber(1))
    .argument('<decision>', 'send-again, or addresses-are-dead, which send-again can take back')
    .option(...json)
    .action(
      does(async (id: number, decision: string, options: { json?: boolean }) =>
        brakeDecide((await session.open()).ctx, { id, decision, ...options }, out),
      ),
    )

  program
    .command('seed')
    .description('add confirmed subscribers and articles to try things with')
    .requiredOption('--subscribers <n>', 'how many, over 50 recipient domains, choices varied', wholeNumber(0))
    .option('--articles <n>', 'new articles', wholeNumber(0))
    .option('--history <days>', 'days of past editions, for some of them', wholeNumber(1))
    .option('--spread', 'every hour and day instead of one future slot')
    .option(...json)
    .action(
      does(async (options: SeedArgs) => seed((await session.open()).ctx, { ...options, signal: session.signal }, out)),
    )

  program
    .command('preview')
    .description('render every mail to HTML, text and .eml')
    .option('--out <dir>', 'where to', 'tmp/preview')
    .option(...json)
    .action(
      does(async (options: { out: string; json?: boolean }) =>
        previewCommand((await session.open()).ctx, { ...options, out: resolvePath(session, options.out) }, out),
      ),
    )
}

/** A worker of this command's own, unless the server that runs it has one whose now is the same. */
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
