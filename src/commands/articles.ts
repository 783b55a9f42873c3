// `feed …` and `category …`.

import {
  categoryAdd,
  categoryList,
  categoryRename,
  categoryRetire,
  feedList,
  feedPoll,
  feedTry,
} from './articles/articles.ts'
import {
  feedAdd,
  type FeedAddArgs,
  feedChange,
  feedRemove,
  feedRuleAdd,
  feedRuleList,
  feedRuleRemove,
  feedSwitch,
} from './articles/feeds.ts'
import { feedImport, type FeedImportArgs } from './articles/feed-import.ts'
import { systemClock } from '../base/clock.ts'
import { Refusal } from '../base/errors.ts'
import { resolvePath } from './session.ts'
import { type AddCommands, wholeNumber } from './add-commands.ts'

export const articleCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const ctx = async () => (await session.open()).ctx
  const json = ['--json', 'one JSON object a line'] as const

  const number = 'its number, as feed list shows it'
  const ofRules = `${number}, or all: the rules of every feed`

  const feed = program.command('feed').description('where articles come from')
  feed
    .command('try')
    .description('what the ingester makes of feeds, entry by entry; needs no database')
    .argument('<url|file...>')
    .option('--base <url>', 'what relative links stand against')
    .option('--timezone <zone>', "of dates without one; default: the site's")
    .option(...json)
    .action(
      does(async (sources: string[], options: { base?: string; timezone?: string; json?: boolean }) =>
        feedTry(
          { config: session.config(), clock: systemClock },
          { sources, ...options, resolve: (file) => resolvePath(session, file) },
          out,
        ),
      ),
    )
  feed
    .command('add')
    .description('add a feed, or categories of a WordPress site with their feeds; fetched at the next tick')
    .argument('<url>', 'of a feed, of a page that names one, or of a WordPress site')
    .option('--category <name...>', 'our categories (slugs) that all its items go to; of a WordPress site: its own')
    .option('--all', 'all categories of a WordPress site that have stories')
    .option('--title <text>', "default: the feed's own")
    .option('--ignore-dates-ahead', 'its stories never wait: a date ahead counts as none')
    .option('--timezone <zone>', "of its dates without one; default: the site's")
    .option(...json)
    .action(
      does(async (url: string, options: Omit<FeedAddArgs, 'url'>) => feedAdd(await ctx(), { url, ...options }, out)),
    )
  feed
    .command('import')
    .description('add the feeds of a list that another program exported (OPML); its folders become categories')
    .argument('<file>')
    .option('--dry-run', 'say what would happen, change nothing')
    .option('--yes', "don't ask after the report; without a terminal nobody is asked")
    .option(...json)
    .action(
      does(async (file: string, options: Omit<FeedImportArgs, 'file'>) =>
        feedImport(await ctx(), { file: resolvePath(session, file), ...options }, out, session.confirm),
      ),
    )
  feed
    .command('change')
    .description('change a feed')
    .argument('<id>', number)
    .option('--ignore-dates-ahead', 'its stories never wait: a date ahead counts as none')
    .option('--no-ignore-dates-ahead', 'its stories wait for their date')
    .option('--timezone <zone>', "of its dates without one; site: the site's")
    .option(...json)
    .action(
      does(async (id: string, options: { ignoreDatesAhead?: boolean; timezone?: string; json?: boolean }) =>
        feedChange(await ctx(), { id, ...options }, out),
      ),
    )
  for (const [name, state, description] of [
    ['pause', 'paused', 'fetch it no longer; resume goes on'],
    ['resume', 'active', 'fetch it again, also one that was gone'],
  ] as const)
    feed
      .command(name)
      .description(description)
      .argument('<id>', number)
      .option(...json)
      .action(
        does(async (id: string, options: { json?: boolean }) =>
          feedSwitch(await ctx(), { id, state, ...options }, out),
        ),
      )
  feed
    .command('remove')
    .description('remove a feed; its stories stay')
    .argument('<id>', number)
    .option('--yes', "don't ask")
    .option(...json)
    .action(
      does(async (id: string, { yes, ...options }: { yes?: boolean; json?: boolean }) => {
        if (!yes && !(await session.confirm(`Remove feed ${id}? Its stories stay.`)))
          throw new Refusal('conflict', 'Nothing was removed. Say yes at the prompt, or add --yes.')
        return feedRemove(await ctx(), { id, ...options }, out)
      }),
    )
  const rule = feed.command('rule').description('where the stories of a feed go, by their labels, titles and links')
  rule
    .command('list')
    .description('its rules, in order')
    .argument('<id>', ofRules)
    .option(...json)
    .action(does(async (id: string, options: { json?: boolean }) => feedRuleList(await ctx(), { id, ...options }, out)))
  rule
    .command('add')
    .description('add a rule at the end')
    .argument('<id>', ofRules)
    .argument(
      '<rule>',
      '"label: Parliament = politics"; label, title or link, with equals, begins or contains; = - leaves it out',
    )
    .option(...json)
    .action(
      does(async (id: string, text: string, options: { json?: boolean }) =>
        feedRuleAdd(await ctx(), { id, rule: text, ...options }, out),
      ),
    )
  rule
    .command('remove')
    .description('remove a rule')
    .argument('<id>', ofRules)
    .argument('<number>', 'as feed rule list shows it', wholeNumber(1))
    .option('--yes', "don't ask")
    .option(...json)
    .action(
      does(async (id: string, place: number, { yes, ...options }: { yes?: boolean; json?: boolean }) => {
        if (!yes && !(await session.confirm(`Remove rule ${place} of feed ${id}?`)))
          throw new Refusal('conflict', 'Nothing was removed. Say yes at the prompt, or add --yes.')
        return feedRuleRemove(await ctx(), { id, number: place, ...options }, out)
      }),
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
