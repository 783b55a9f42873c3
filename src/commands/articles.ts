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
import { type AddCommands, orAborted, wholeNumber } from './add-commands.ts'

export const articleCommands: AddCommands = (program, session, does) => {
  const { out } = session
  const ctx = async () => (await session.open()).ctx
  const json = ['--json', 'print one JSON object per line'] as const

  const number = 'number of the feed, as shown by feed list'
  const ofRules = `${number}; or all, for the rules that apply to every feed`

  const feed = program.command('feed').description('Feeds, which stories come from.')
  feed
    .command('try')
    .description('Show how each entry of a feed would be read. Needs no database.')
    .argument('<url|file...>')
    .option('--base <url>', 'address that relative links are resolved against')
    .option('--timezone <zone>', "time zone of dates that name none; default: the site's")
    .option(...json)
    .action(
      does(async (sources: string[], options: { base?: string; timezone?: string; json?: boolean }) =>
        orAborted(
          session.signal,
          feedTry(
            { config: session.config(), clock: systemClock },
            { sources, ...options, resolve: (file) => resolvePath(session, file) },
            out,
          ),
        ),
      ),
    )
  feed
    .command('add')
    .description('Add a feed, or categories of a WordPress site with their feeds. They are fetched at the next tick.')
    .argument('<url>', 'address of a feed, of a page that names one, or of a WordPress site')
    .option(
      '--category <name...>',
      'slugs of our categories for all its stories; for a WordPress site, names of its categories',
    )
    .option('--all', 'all categories of a WordPress site that have stories')
    .option('--title <text>', "title of the feed; default: the feed's own")
    .option('--ignore-dates-ahead', 'ignore dates in the future, so that no story of this feed waits')
    .option('--timezone <zone>', "time zone of its dates that name none; default: the site's")
    .option(...json)
    .action(
      does(async (url: string, options: Omit<FeedAddArgs, 'url'>) => feedAdd(await ctx(), { url, ...options }, out)),
    )
  feed
    .command('import')
    .description('Add the feeds of an OPML file. Its folders become categories.')
    .argument('<file>')
    .option('--dry-run', 'report what would happen and change nothing')
    .option('--yes', "don't ask after the report; without a terminal there is no question")
    .option(...json)
    .action(
      does(async (file: string, options: Omit<FeedImportArgs, 'file'>) =>
        feedImport(await ctx(), { file: resolvePath(session, file), ...options }, out, session.confirm),
      ),
    )
  feed
    .command('change')
    .description('Change how a feed is read.')
    .argument('<id>', number)
    .option('--ignore-dates-ahead', 'ignore dates in the future, so that no story of this feed waits')
    .option('--no-ignore-dates-ahead', 'stories wait for their date')
    .option('--timezone <zone>', "time zone of its dates that name none; site: the site's")
    .option(...json)
    .action(
      does(async (id: string, options: { ignoreDatesAhead?: boolean; timezone?: string; json?: boolean }) =>
        feedChange(await ctx(), { id, ...options }, out),
      ),
    )
  for (const [name, state, description] of [
    ['pause', 'paused', 'Stop fetching a feed.'],
    ['resume', 'active', 'Fetch a paused feed again, or one that was gone.'],
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
    .description('Remove a feed. Its stories stay.')
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
  const rule = feed.command('rule').description('Rules that choose categories by labels, titles and links.')
  rule
    .command('list')
    .description('List the rules of a feed in order.')
    .argument('<id>', ofRules)
    .option(...json)
    .action(does(async (id: string, options: { json?: boolean }) => feedRuleList(await ctx(), { id, ...options }, out)))
  rule
    .command('add')
    .description('Add a rule after the others.')
    .argument('<id>', ofRules)
    .argument(
      '<rule>',
      'such as "label: Parliament = politics": label, title or link, with equals, begins or contains; = - leaves the story out',
    )
    .option(...json)
    .action(
      does(async (id: string, text: string, options: { json?: boolean }) =>
        feedRuleAdd(await ctx(), { id, rule: text, ...options }, out),
      ),
    )
  rule
    .command('remove')
    .description('Remove a rule.')
    .argument('<id>', ofRules)
    .argument('<number>', 'number of the rule, as shown by feed rule list', wholeNumber(1))
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
    .description('Fetch the feeds that are due.')
    .option('--all', 'all active feeds, whether due or not')
    .option(...json)
    .action(
      does(async (options: { all?: boolean; json?: boolean }) =>
        orAborted(session.signal, feedPoll(await ctx(), options, out)),
      ),
    )
  feed
    .command('list')
    .description('List all feeds with their state.')
    .option(...json)
    .action(does(async (options: { json?: boolean }) => feedList(await ctx(), options, out)))

  const category = program.command('category').description('Categories, which subscribers choose.')
  category
    .command('add')
    .description('Add a category.')
    .argument('<name>')
    .option('--slug <slug>', 'identifier in addresses and forms; default: made from the name')
    .option('--description <text>')
    .option(...json)
    .action(
      does(async (name: string, options: { slug?: string; description?: string; json?: boolean }) =>
        categoryAdd(await ctx(), { name, ...options }, out),
      ),
    )
  category
    .command('rename')
    .description('Change the name of a category. Subscriptions and stories stay.')
    .argument('<slug>')
    .argument('<name>')
    .option('--slug <slug>', 'new slug; forms elsewhere that use the old one stop working')
    .option(...json)
    .action(
      does(async (slug: string, name: string, { slug: newSlug, ...options }: { slug?: string; json?: boolean }) =>
        categoryRename(await ctx(), { slug, name, ...(newSlug ? { newSlug } : {}), ...options }, out),
      ),
    )
  category
    .command('retire')
    .description('Stop offering a category. It is in no further digest. Nobody is mailed about it.')
    .argument('<slug>')
    .option(...json)
    .action(
      does(async (slug: string, options: { json?: boolean }) => categoryRetire(await ctx(), { slug, ...options }, out)),
    )
  category
    .command('list')
    .description('List all categories, including retired ones.')
    .option(...json)
    .action(does(async (options: { json?: boolean }) => categoryList(await ctx(), options, out)))
}
