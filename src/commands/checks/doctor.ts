// `doctor`: finds problems that keep this installation from delivering mail. Each line names the check, its result, and how to fix
// it. It changes nothing and sends no mail. Exit code 1 if a check fails; a warning isn't a failure.

import { Resolver } from 'node:dns/promises'
import { sql } from 'kysely'
import { addressOf, isConsoleApart } from '../../base/addresses.ts'
import { wrongClock } from '../../articles/feeds.ts'
import { ConfigError, type Config } from '../../base/config.ts'
import type { Relay } from '../../base/relay.ts'
import { siteLinks } from '../../base/site-links.ts'
import { reloadCatalogue } from '../../messages/catalogue.ts'
import { nameOf } from '../../messages/messages.ts'
import type { Db } from '../../db/connect.ts'
import { findSendingHold } from '../../delivery/sending-hold.ts'
import { holdView } from '../../desk/sending-words.ts'
import { findAnnouncementsOff } from '../../delivery/announcements.ts'
import { checkInbound } from './inbound-check.ts'
import { checkMailDns, type DnsLookups } from './mail-dns.ts'
import { HeldByServer } from '../open.ts'
import type { Finding } from './finding.ts'
import { checkRelay } from './relay-check.ts'
import type { Session } from '../session.ts'

/** With a larger difference, slots (the program's clock) and retries (the database's) would drift apart. */
const skewLimitMs = 2000

export async function doctor(
  session: Session,
  options: { json?: boolean },
  dns: DnsLookups = new Resolver({ timeout: 2000, tries: 2 }),
): Promise<number> {
  let failures = 0
  const report = (findings: Finding | Finding[]) => {
    for (const finding of [findings].flat()) {
      if (finding.state === 'fail') failures++
      if (options.json) session.out.print(JSON.stringify(finding))
      else {
        session.out.print(`${finding.state.padEnd(4)}  ${finding.what}: ${finding.found}`)
        for (const line of [...(finding.fix ? [finding.fix] : []), ...(finding.quote ?? [])])
          session.out.print(`      ${line}`)
      }
    }
  }
  let config: Config
  try {
    config = session.config()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    report(
      error.problems.map((problem) => ({
        what: 'environment',
        state: 'fail',
        found: problem,
        fix: 'See .env.example.',
      })),
    )
    return 1
  }
  // Opened first: if a server holds the folder, all checks run there, with its configuration.
  const opened = await session.open().catch((cause: unknown) => {
    if (cause instanceof HeldByServer) throw cause
    return cause as Error
  })
  report({ what: 'environment', state: 'ok', found: config.trial ? 'complete, for a trial' : 'complete' })
  report(checkAddresses(config))
  if (!config.trial) report(checkSitePages(config))
  report(checkMessages(config))
  if (opened instanceof Error)
    report({
      what: 'database',
      state: 'fail',
      found: opened.message || String(opened),
      fix: 'Check DATABASE_URL, or DATA_DIR.',
    })
  else {
    report(await checkDatabase(opened.ctx.db, opened.database.kind))
    report(await checkSending(opened.ctx.db))
  }
  if (config.trial)
    report({
      what: 'mail',
      state: 'ok',
      found: 'stays in the development mailbox; relay and DNS are checked outside the trial only',
    })
  else {
    report(await checkMailDns(config, dns))
    report(await checkRelays(config, opened instanceof Error ? null : opened.ctx.db))
  }
  report(await checkInbound(config))
  if (!(opened instanceof Error)) report(await checkFeeds(opened.ctx.db))
  return failures ? 1 : 0
}

function checkAddresses({ trial, web }: Config): Finding[] {
  const check = (what: string, found: string): Finding => {
    if (trial || found.startsWith('https:')) return { what, state: 'ok', found }
    const fix = 'Use https. One-click unsubscribe needs it (RFC 8058), and it protects the sign-in cookies.'
    return { what, state: 'warn', found: `${found} is plain http`, fix }
  }
  return [
    check('public address', web.publicUrl),
    ...(isConsoleApart(web) ? [check('console address', addressOf({ web }, '/admin'))] : []),
  ]
}

/** The built-in texts don't name the publisher of this site. */
function checkSitePages(config: Config): Finding {
  const what = 'pages of the site'
  const ours = siteLinks(config).filter(({ key, url }) => url === addressOf(config, `/${key}`))
  if (ours.length === 0) return { what, state: 'ok', found: 'footers lead to the site’s own pages' }
  const found = `footers lead to general texts of this program: ${ours.map(({ name }) => name).join(', ')}`
  const fix = `Read them, or set ${ours.map(({ key }) => `${key.toUpperCase()}_URL`).join(', ')}.`
  return { what, state: 'warn', found, fix }
}

/** The files in DATA_DIR/messages, read again: a server reads them when it starts. */
function checkMessages(config: Config): Finding[] {
  const { texts, problems, incomplete, changed } = reloadCatalogue(config)
  const what = 'messages'
  const own = [...changed].map(([language, count]) => `${count} of ${language}`).join(', ')
  const names = [...texts.keys()].map((language) => nameOf(language, 'en')).join(', ')
  return [
    { what, state: 'ok', found: own ? `${names}; changed here: ${own}` : names },
    ...problems.map((found): Finding => ({
      what,
      state: 'warn',
      found,
      fix: 'See docs/languages.md. Restart after a change.',
    })),
    ...incomplete.map(({ language, missing }): Finding => ({
      what,
      state: 'warn',
      found: `${language} lacks ${missing.length}, such as ${missing[0]}; the site’s language is used for them`,
      fix: `Add them to messages/${language}.json.`,
    })),
  ]
}

async function checkDatabase(db: Db, kind: 'embedded' | 'postgres'): Promise<Finding[]> {
  const before = Date.now()
  const { rows } = await sql<{ now: Date; number: string; version: string; fsync: string }>`
    select clock_timestamp() as now, current_setting('server_version_num') as number,
      current_setting('server_version') as version, current_setting('fsync') as fsync`.execute(db)
  const { now, number, version, fsync } = rows[0]!
  const skew = now.getTime() - (before + Date.now()) / 2
  const findings: Finding[] = [
    kind === 'embedded'
      ? { what: 'database', state: 'ok', found: 'embedded: survives a crash, but not a power cut' }
      : Number(number) >= 150_000
        ? { what: 'database', state: 'ok', found: `Postgres ${version}` }
        : { what: 'database', state: 'fail', found: `Postgres ${version}`, fix: 'Use Postgres 15 or newer.' },
    Math.abs(skew) <= skewLimitMs
      ? { what: 'database clock', state: 'ok', found: `${Math.round(Math.abs(skew))} ms from this machine's` }
      : {
          what: 'database clock',
          state: 'fail',
          found: `${Math.round(skew / 1000)} s from this machine's`,
          fix: 'Synchronise the clocks of both machines (chrony or systemd-timesyncd).',
        },
  ]
  if (kind === 'postgres' && fsync === 'off')
    findings.push({
      what: 'fsync',
      state: 'warn',
      found: 'is off',
      fix: 'Set fsync = on. Without it a power cut can lose commits.',
    })
  return findings
}

async function checkSending(db: Db): Promise<Finding> {
  const what = 'sending'
  const { text } = holdView(await findSendingHold(db))
  if (text === null) return { what, state: 'ok', found: 'isn’t held' }
  const fix = 'Decide: sending release --skip-due, or sending release; or in the console.'
  return { what, state: 'fail', found: `is held. ${text}`, fix }
}

async function checkRelays(config: Config, db: Db | null): Promise<Finding[]> {
  const now = new Date()
  const check = async (relay: Relay) => {
    const off = db && (await findAnnouncementsOff(db, relay.name, now))
    const isPaced = Boolean(config.smtp.ratePerSecond || relay.ratePerSecond || relay.warmUp)
    return checkRelay({ relay, off, isPaced }, now)
  }
  return (await Promise.all(config.smtp.relays.map(check))).flat()
}

async function checkFeeds(db: Db): Promise<Finding[]> {
  const feeds = await db
    .selectFrom('feeds')
    .select(['id', 'url', 'state', 'failures', 'lastError', 'seemsAhead', 'moveProblem'])
    .orderBy('id')
    .execute()
  if (feeds.length === 0)
    return [
      {
        what: 'feeds',
        state: 'warn',
        found: 'none',
        fix: 'Add one with feed add URL --category SLUG, or push stories by API.',
      },
    ]
  const findings: Finding[] = []
  for (const feed of feeds) {
    const what = `feed ${feed.url}`
    if (feed.state === 'gone')
      findings.push({
        what,
        state: 'fail',
        found: 'its server says that it is gone (410)',
        fix: 'Remove or replace it.',
      })
    else if (feed.state === 'paused') findings.push({ what, state: 'warn', found: 'paused' })
    else if (feed.failures > 0)
      findings.push({
        what,
        state: feed.failures >= 5 ? 'fail' : 'warn',
        found: `failed ${feed.failures} times in a row: ${feed.lastError ?? 'no reason kept'}`,
        fix: `See how it is read: feed try ${feed.url}`,
      })
    else if (feed.seemsAhead)
      findings.push({
        what,
        state: 'warn',
        found: `${wrongClock}: even its newest stories are dated in the future, and wait`,
        fix: `If that isn’t an embargo: feed change ${feed.id} --ignore-dates-ahead`,
      })
    else if (feed.moveProblem !== null) findings.push({ what, state: 'warn', found: feed.moveProblem })
  }
  const good = feeds.length - findings.length
  return [...findings, ...(good ? [{ what: 'feeds', state: 'ok' as const, found: `${good} well` }] : [])]
}
