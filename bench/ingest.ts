// npm run bench -- ingest [--feeds N] [--entries N]: entries of feeds a second, from bytes to committed rows (parsing in the parser's
// thread, identity, mapping, seq, the feed's own row), against parsing the same documents alone in the main thread. Real Postgres,
// durable, where there is one, else the embedded database. Prints the ratio of the medians; exits 1 when it is below 0.3.

import { addCategory } from '../src/articles/categories.ts'
import { addFeed } from '../src/articles/feeds.ts'
import { parseFeed } from '../src/articles/feed-formats.ts'
import { parser } from '../src/articles/parser.ts'
import { storeFeed } from '../src/articles/feed-store.ts'
import { systemClock } from '../src/base/clock.ts'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { openEmbedded, openPostgres } from '../src/db/connect.ts'
import type { Context } from '../src/db/context.ts'
import { migrate } from '../src/db/migrate.ts'
import { startOwnPostgres } from '../tests/support/postgres.ts'

const argument = (name: string, fallback: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}
const feedCount = argument('feeds', 60)
const entryCount = argument('entries', 40)
const rounds = argument('rounds', 7)
/** As many polls at once as pollDueFeeds has under way. */
const atOnce = 6

const postgres = process.argv.includes('--embedded') ? null : await startOwnPostgres({ isDurable: true })
const database = postgres ? openPostgres(postgres.url, atOnce) : await openEmbedded('memory://')
await migrate(database.db)
const ctx: Context = { db: database.db, config: readConfig({}), clock: systemClock, log: createLog('silent') }
for (const name of ['Politics', 'World News', 'Business', 'Investing']) await addCategory(ctx, { name })
const slugs = ['politics', 'world-news', 'business', 'investing']
for (let n = 0; n < feedCount; n++)
  await addFeed(ctx, { url: `https://paper-${n}.example/feed`, categories: [slugs[n % slugs.length]!] })
const feeds = await ctx.db.selectFrom('feeds').selectAll().orderBy('id').execute()

console.log(
  `${feedCount} feeds of ${entryCount} new entries a round; ${postgres ? 'Postgres, durable' : 'embedded database'}`,
)
const rates = { parse: [] as number[], ingest: [] as number[] }
try {
  for (let round = 0; round <= rounds; round++) {
    const documents = feeds.map((_, n) => documentOf(round, n))
    const parsing = performance.now()
    for (const bytes of documents) if (parseFeed(bytes).outcome !== 'feed') throw new Error('It is no feed.')
    const ingesting = performance.now()
    const waiting = feeds.map((feed, n) => [feed, documents[n]!] as const)
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const reading = await parser.read(next[1], {})
          if (reading.outcome !== 'feed') throw new Error(reading.reason)
          const report = await storeFeed(ctx, next[0], reading.feed, ctx.clock.now(), {})
          if (report.taken !== entryCount) throw new Error(`${report.taken} of ${entryCount} were taken.`)
        }
      }),
    )
    const done = performance.now()
    // The first round only warms up.
    if (round === 0) continue
    const entries = feedCount * entryCount
    rates.parse.push((entries / (ingesting - parsing)) * 1000)
    rates.ingest.push((entries / (done - ingesting)) * 1000)
    console.log(
      `parse ${rates.parse.at(-1)!.toFixed(0).padStart(7)} entries/s   ingest ${rates.ingest.at(-1)!.toFixed(0).padStart(7)} entries/s`,
    )
  }
} finally {
  await database.close()
  await postgres?.stop()
}
const ratio = median(rates.ingest) / median(rates.parse)
console.log(
  `ingest ${median(rates.ingest).toFixed(0)} entries/s, parsing alone ${median(rates.parse).toFixed(0)}: ratio ${ratio.toFixed(2)} (0.30 wanted)`,
)
process.exitCode = ratio >= 0.3 ? 0 : 1

/** Fiction in the shape and weight of a WordPress feed: 3 to 4 kB an entry. */
function documentOf(round: number, feed: number): Buffer {
  const origin = `https://paper-${feed}.example`
  const at = new Date().toUTCString()
  const paragraph =
    'The harbour master counted the lanterns twice, found one too many, and wrote that down as well; nobody on the quay could say whose it was. '
  const items = Array.from({ length: entryCount }, (_, n) => {
    const id = `${round}-${n}`
    return `<item><title>Lantern ${id} &#8211; counted &amp; found</title><link>${origin}/${id}/?utm_source=rss</link>
<dc:creator><![CDATA[Ada Reed]]></dc:creator><pubDate>${at}</pubDate><category><![CDATA[Harbour]]></category><category><![CDATA[Lanterns]]></category>
<guid isPermaLink="false">${origin}/?p=${id}</guid><description><![CDATA[<p>${paragraph.repeat(2)} [&#8230;]</p>]]></description>
<content:encoded><![CDATA[<p><img src="${origin}/${id}.jpg" width="600" /></p>${`<p>${paragraph.repeat(3)}</p>`.repeat(6)}]]></content:encoded></item>`
  })
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Paper ${feed}</title><link>${origin}/</link>${items.join('\n')}</channel></rss>`,
  )
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}
