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

  const admin = program.command('admin').description('Editors, who sign in to the console.')
  admin
    .command('create')
    .description('Add an editor, or print a new sign-in link for an existing one. The link works once.')
    .argument('<email>')
    .option('--json', 'print one JSON object')
    .action(
      does(async (email: string, options: { json?: boolean }) => adminCreate(await ctx(), { email, ...options }, out)),
    )
  admin
    .command('list')
    .description('List the editors.')
    .option('--json', 'print one JSON object per line')
    .action(does(async (options: { json?: boolean }) => adminList(await ctx(), options, out)))
  admin
    .command('disable')
    .description('Sign an editor out everywhere and refuse further sign-ins.')
    .argument('<email>')
    .action(does(async (email: string) => adminDisable(await ctx(), { email }, out)))

  const apiKey = program.command('api-key').description('Keys for the API.')
  apiKey
    .command('create')
    .description('Create a key and show it once.')
    .argument('<name>')
    .option('--scope <scope>', 'what the key may do: all, read, subscribers, articles or editions', 'all')
    .option('--days <number>', 'days until it expires; default: until it is revoked', wholeNumber(1))
    .option('--json', 'print one JSON object')
    .action(
      does(async (name: string, options: { scope: string; days?: number; json?: boolean }) =>
        apiKeyCreate(await ctx(), { name, ...options }, out),
      ),
    )
  apiKey
    .command('list')
    .description('List all keys, without their secrets.')
    .option('--json', 'print one JSON object per line')
    .action(does(async (options: { json?: boolean }) => apiKeyList(await ctx(), options, out)))
  apiKey
    .command('revoke')
    .description('Revoke a key at once.')
    .argument('<id>', 'number of the key, as shown by api-key list', wholeNumber(1))
    .action(does(async (id: number) => apiKeyRevoke(await ctx(), { id }, out)))
}
