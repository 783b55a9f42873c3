// `inbound …`.

import { inboundExplain } from './inbound/explain.ts'
import { inboundRead } from './inbound/read.ts'
import { resolvePath } from './session.ts'
import type { AddCommands } from './add-commands.ts'

export const inboundCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const inbound = program.command('inbound').description('mail that comes back')
  inbound
    .command('explain')
    .description('what is understood of mails in files; changes nothing and needs no database')
    .argument('<file...>')
    .option('--json', 'one JSON object a line')
    .action(
      does(async (files: string[], options: { json?: boolean }) =>
        inboundExplain(session.config(), { files, ...options, resolve: (f) => resolvePath(session, f) }, out),
      ),
    )
  inbound
    .command('read')
    .description('take in mails from files as the listener would, and say what followed')
    .argument('<file...>')
    .option('--json', 'one JSON object a line')
    .action(
      does(async (files: string[], options: { json?: boolean }) =>
        inboundRead((await session.open()).ctx, { files, ...options, resolve: (f) => resolvePath(session, f) }, out),
      ),
    )
}
