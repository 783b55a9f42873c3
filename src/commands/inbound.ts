// `inbound …`.

import { inboundExplain } from './inbound/explain.ts'
import { inboundRead } from './inbound/read.ts'
import { inboundRetry } from './inbound/retry.ts'
import { resolvePath } from './session.ts'
import { type AddCommands, orAborted } from './add-commands.ts'

export const inboundCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const inbound = program.command('inbound').description('Returned mail: bounces, complaints, unsubscribes by mail.')
  inbound
    .command('explain')
    .description('Show how returned mails in files are read. Changes nothing and needs no database.')
    .argument('<file...>')
    .option('--json', 'print one JSON object per line')
    .action(
      does(async (files: string[], options: { json?: boolean }) =>
        orAborted(
          session.signal,
          inboundExplain(session.config(), { files, ...options, resolve: (f) => resolvePath(session, f) }, out),
        ),
      ),
    )
  inbound
    .command('read')
    .description('Process returned mails from files as the listener would, and report the result.')
    .argument('<file...>')
    .option('--json', 'print one JSON object per line')
    .action(
      does(async (files: string[], options: { json?: boolean }) => {
        const { ctx } = await session.open()
        const args = { files, ...options, resolve: (file: string) => resolvePath(session, file) }
        return orAborted(session.signal, inboundRead(ctx, args, out))
      }),
    )
  inbound
    .command('retry')
    .description('Retry returned mail that failed five times: all of it, or one by its id.')
    .argument('[id]')
    .option('--json', 'print one JSON object')
    .action(
      does(async (id: string | undefined, options: { json?: boolean }) =>
        inboundRetry((await session.open()).ctx, { id, ...options }, out),
      ),
    )
}
