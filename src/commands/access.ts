// `admin …` and `api-key …`.

import {
  adminCreate,
  adminDisable,
  adminList,
  apiKeyCreate,
  apiKeyList,
  apiKeyRevoke,
} from './access/editors-and-keys.ts'
import { type AddCommands, wholeNumber } from './add-commands.ts'

export const accessCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const ctx = async () => (await session.open()).ctx

  const admin = program.command('admin').description('editors of the console')
  admin
    .command('create')
    .description('add an editor, or give one who exists a fresh one-time sign-in link')
    .argument('<email>')
    .option('--json', 'one JSON object')
    .action(
      does(async (email: string, options: { json?: boolean }) => adminCreate(await ctx(), { email, ...options }, out)),
    )
  admin
    .command('list')
    .description('who may sign in')
    .option('--json', 'one JSON object a line')
    .action(does(async (options: { json?: boolean }) => adminList(await ctx(), options, out)))
  admin
    .command('disable')
    .description('sign an editor out everywhere and keep them out')
    .argument('<email>')
    .action(does(async (email: string) => adminDisable(await ctx(), { email }, out)))

  const apiKey = program.command('api-key').description('keys for the API')
  apiKey
    .command('create')
    .description('a new key, shown once')
    .argument('<name>')
    .option('--scope <scope>', 'all, read, subscribers, articles or editions', 'all')
    .option('--days <number>', 'how long it is good; default: until it is revoked', wholeNumber(1))
    .option('--json', '{"key": "…"}')
    .action(
      does(async (name: string, options: { scope: string; days?: number; json?: boolean }) =>
        apiKeyCreate(await ctx(), { name, ...options }, out),
      ),
    )
  apiKey
    .command('list')
    .description('all keys, never the secret')
    .option('--json', 'one JSON object a line')
    .action(does(async (options: { json?: boolean }) => apiKeyList(await ctx(), options, out)))
  apiKey
    .command('revoke')
    .description('end a key at once')
    .argument('<id>', 'its number in the list', wholeNumber(1))
    .action(does(async (id: number) => apiKeyRevoke(await ctx(), { id }, out)))
}
