// `sending …`: whether mail is sent at all, and the operator's decision if it is held.

import { findSendingHold } from '../delivery/sending-hold.ts'
import { releaseSending } from '../desk/release-sending.ts'
import { holdView } from '../desk/sending-words.ts'
import { Refusal } from '../base/errors.ts'
import type { AddCommands } from './add-commands.ts'

export const sendingCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const sending = program.command('sending').description('Hold of all mail after a restore and in a copy.')
  sending
    .command('status')
    .description('Say whether sending is held, why, and which time is missing.')
    .option('--json', 'one JSON object')
    .action(
      does(async (options: { json?: boolean }) => {
        const view = holdView(await findSendingHold((await session.open()).ctx.db))
        out.print(options.json ? JSON.stringify(view) : (view.text ?? 'Sending isn’t held.'))
        return 0
      }),
    )
  sending
    .command('release')
    .description('Release sending: mail goes out again.')
    .option(
      '--skip-due',
      'send nothing that was due before now: cancel open editions, count past slots as missed, skip waiting single mails, and count all stories so far as read',
    )
    .option('--yes', "don't ask")
    .option('--json', 'one JSON object')
    .action(
      does(async (options: { skipDue?: boolean; yes?: boolean; json?: boolean }) => {
        const { ctx } = await session.open()
        const { text } = holdView(await findSendingHold(ctx.db))
        if (text === null) throw new Refusal('conflict', 'Sending isn’t held.')
        const what = options.skipDue ? 'Skip what was due before now, and release sending?' : 'Send what is due?'
        if (!options.yes && !(await session.confirm(`${text} ${what}`)))
          throw new Refusal('conflict', `${text} Nothing was changed. Say yes at the prompt, or add --yes.`)
        const { skipped } = await releaseSending(ctx, { skipDue: options.skipDue ?? false, actor: 'cli' })
        if (options.json) out.print(JSON.stringify({ event: 'released', skipped }))
        else
          out.print(
            options.skipDue
              ? `Sending is released. Skipped: ${skipped.editions} editions, ${skipped.slots} slots, ${skipped.mails} single mails.`
              : 'Sending is released. What is due goes out.',
          )
        return 0
      }),
    )
}
