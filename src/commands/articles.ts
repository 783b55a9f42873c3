// `feed …` and `category …`.

import {
  categoryAdd,
  categoryList,
  categoryRename,
  categoryRetire,
  feedAdd,
  feedChange,
  feedList,
  feedPoll,
  feedTry,
} from '../articles/commands.ts'
import { systemClock } from '../base/clock.ts'
import type { AddCommands } from './program.ts'
import { resolvePath } from './session.ts'

export const articleCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const ctx = async () => (await session.open()).ctx
  const json = ['--json', 'one JSON object a line'] as const

  const feed = program.command('feed').description('where articles come from')
  feed
    .command('try')
    .description('what the ingester makes of feeds, entry by entry; needs no database')
    .argument('<url|file...>')
    .option('--base <url>', 'what relative links stand against')
    .option(...json)
    .action(
      does(async (sources: string[], options: { base?: string; json?: boolean }) =>
        feedTry(
          { config: session.config(), clock: systemClock },
          { sources, ...options, resolve: (file) => resolvePath(session, file) },
          out,
        ),
      ),
    )
  feed
    .command('add')
    .description('add a feed; it is fetched at the next tick')
    .argument('<url>')
    .option('--category <slug...>', 'our categories that all its items belong to')
    .option('--title <text>', "default: the feed's own")
    .option('--ignore-dates-ahead', 'its stories never wait: a date ahead counts as none')
    .option(...json)
    .action(
      does(async (url: string, options: Omit<Parameters<typeof feedAdd>[1], 'url'>) =>
        feedAdd(await ctx(), { url, ...options }, out),
      ),
    )
  feed
    .command('change')
    .description('change a feed')
    .argument('<id>', 'its number, as feed list shows it')
    .option('--ignore-dates-ahead', 'its stories never wait: a date ahead counts as none')
    .option('--no-ignore-dates-ahead', 'its stories wait for their date')
    .option(...json)
    .action(
      does(async (id: string, options: { ignoreDatesAhead?: boolean; json?: boolean }) =>
        feedChange(await ctx(), { id, ...options }, out),
      ),
    )
  feed
    .command('poll')
    .description('fetch the feeds that are due')
    .option('--all', 'all active ones, due or not')
    .option(...json)
    .action(does(async (options: { all?: boolean; json?: boolean }) => feedPoll(await ctx(), options, out)))
  feed
    .command('list')
    .description('all feeds and how they are')
    .option(...json)
    .action(does(async (options: { json?: boolean }) => feedList(await ctx(), options, out)))

  const category = program.command('category').description('what subscribers pick')
  category
    .command('add')
    .description('offer a new category')
    .argument('<name>')
    .option('--slug <slug>', 'default: made from the name')
    .option('--description <text>')
    .option(...json)
    .action(
      does(async (name: string, options: { slug?: string; description?: string; json?: boolean }) =>
        categoryAdd(await ctx(), { name, ...options }, out),
      ),
    )
  category
    .command('rename')
    .description('change its name; subscriptions and articles stay')
    .argument('<slug>')
    .argument('<name>')
    .option('--slug <slug>', 'a new slug too: forms elsewhere that use the old one stop working')
    .option(...json)
    .action(
      does(async (slug: string, name: string, { slug: newSlug, ...options }: { slug?: string; json?: boolean }) =>
        categoryRename(await ctx(), { slug, name, ...(newSlug ? { newSlug } : {}), ...options }, out),
      ),
    )
  category
    .command('retire')
    .description('offer it no longer; keeps what was sent and mails nobody')
    .argument('<slug>')
    .option(...json)
    .action(
      does(async (slug: string, options: { json?: boolean }) => categoryRetire(await ctx(), { slug, ...options }, out)),
    )
  category
    .command('list')
    .description('all categories, retired ones too')
    .option(...json)
    .action(does(async (options: { json?: boolean }) => categoryList(await ctx(), options, out)))
}
