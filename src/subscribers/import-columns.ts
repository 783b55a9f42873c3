// The columns of an import. We understand our own, those that export.ts writes. Any other may say that an address must not be mailed:
// `email_disabled`, `Unsubscribed on`, `BLACKLISTED`. So a column or a value that sounds like that and isn't understood refuses the
// whole file, and a person decides. A file that is refused needlessly costs a minute; a mail to somebody who unsubscribed elsewhere
// can't be taken back.

import { invalid, Refusal } from '../base/errors.ts'

/** What a file of rejected lines has besides the columns of the file that they come from. */
export const rejectionColumns = ['rejected_line', 'rejected_because'] as const

const ownColumns: readonly string[] = [
  'email',
  'status',
  'timezone',
  'send_hour',
  'weekly_day',
  'monthly_day',
  'locale',
  'order',
  'paused_until',
  'created_at',
  'requested_at',
  'confirmed_at',
  'unsubscribed_at',
  'suppressed_at',
  'suppression_reason',
  'status_before',
  'consent_at',
  'consent_ip',
  'consent_place',
  'consent_wording',
  ...rejectionColumns,
]

export interface Column {
  /** As the file writes it. */
  title: string
  /** Of ours: its name, such as `send_hour` or `frequency[politics]`. null: not understood. */
  own: string | null
  isIgnored: boolean
  isDoubtful: boolean
}

/** Wherever they are, in a title or a value. */
const anywhere =
  /status|subscri|unsub|opt|bounc|active|activat|enabled|disabled|confirm|clean|block|black[\W_]*list|spam|complain|delet|consent|suppress|undeliver|invalid|do[\W_]*not|abgemeldet|desabonn|desinscri|suscri|iscritt/
/** In titles only, where they speak of mail; in values they are everyday words. */
const inTitles =
  /black|permi(ss|t)|allow|accept|agree|gdpr|marketing|newsletter|receiv|mailable|sendable|deliver|dont|nomail|noemail|nosend|valid|verif|remov|cancel|revo[kc]|withdr|exclu|expir|archiv|abuse|junk|trash|suspend|paus|reject|refus|declin|reachable|contactable|quarantin|approv|banned|abmeld|gesperrt/
/** Alone among the words of a title, or alone in a cell. */
const alone = new Set(
  `left quit gone hold held stop stopped off out ban banned dead dnc dnd dnm hard soft mute muted never removed archived pending
  cancelled canceled paused suspended denied declined rejected failed revoked withdrawn expired excluded unverified unreachable
  dormant lapsed closed locked abuse junk trash moved quarantined refused`.split(/\s+/),
)

const plain = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()

function isDoubtfulTitle(title: string): boolean {
  const words = plain(title.replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')).split(/[^\p{L}\p{N}]+/u)
  const joined = words.join('')
  return anywhere.test(joined) || inTitles.test(joined) || words.some((word) => alone.has(word))
}

/** Whether a value of a column that isn't understood may mean that the address must not be mailed. Pure. */
export function isDoubtfulValue(value: string): boolean {
  const text = plain(value)
  return anywhere.test(text) || alone.has(text)
}

/** Refuses a header without `email`, with a column twice, with a category that isn't ours, or an ignored column that isn't there. */
export function readHeader(titles: readonly string[], slugs: readonly string[], ignored: readonly string[]): Column[] {
  const columns = titles.map((given, index): Column => {
    const title = given || `column ${index + 1}`
    const own = ownNameOf(title)
    const isIgnored = ignored.some((one) => one === title || nameOf(one) === nameOf(title))
    return { title, own: isIgnored ? null : own, isIgnored, isDoubtful: !own && !isIgnored && isDoubtfulTitle(title) }
  })
  const unknown = ignored.find((one) => !columns.some((column) => nameOf(column.title) === nameOf(one)))
  if (unknown !== undefined) throw invalid('--ignore-column', `The file has no column "${unknown}".`)
  const own = columns.flatMap((column) => column.own ?? [])
  if (!own.includes('email'))
    throw new Refusal('invalid', 'The first line of the file must name its columns, one of them "email".')
  const twice = own.find((name, index) => own.indexOf(name) !== index)
  if (twice)
    throw new Refusal('invalid', `The file has the column "${twice}" twice, and only one of them can be meant.`)
  for (const { title, own: name } of columns) {
    const slug = name && slugOf(name)
    if (slug && !slugs.includes(slug))
      throw new Refusal(
        'invalid',
        `The column "${title}" is for a category that isn’t here. Add it first (category add), or leave the column out: --ignore-column "${title}".`,
      )
  }
  return columns
}

/** politics of frequency[politics]; null for other columns. Pure. */
export function slugOf(name: string): string | null {
  return /^frequency\[(.+)\]$/.exec(name)?.[1] ?? null
}

function ownNameOf(title: string): string | null {
  const name = nameOf(title)
  return slugOf(name) || ownColumns.includes(name) ? name : null
}

/** `Send hour`, `send-hour` and `send_hour` are one. */
function nameOf(title: string): string {
  const name = title.trim().toLowerCase()
  return slugOf(name) ? name : name.replaceAll(/[\s_-]+/g, '_')
}

/** What may mean that somebody must not be mailed, by column: where it was seen first. */
export class Doubts {
  #found = new Map<string, { line: number; value: string }>()

  note(title: string, line: number, value: string): void {
    if (!this.#found.has(title)) this.#found.set(title, { line, value })
  }

  /** A column whose title is doubtful counts even when all its cells are empty. */
  throwIfAny(columns: readonly Column[]): void {
    for (const { title, isDoubtful } of columns) if (isDoubtful) this.note(title, 1, '')
    if (this.#found.size === 0) return
    const found = [...this.#found].map(([title, { line, value }]) => ({
      field: title,
      message: `line ${line}, column "${title}": ${value ? `"${value.slice(0, 80)}"` : 'empty'}`,
    }))
    const ways = found.map(({ field }) => `--ignore-column "${field}"`).join(' ')
    throw new Refusal(
      'invalid',
      `Nothing was imported. This isn’t understood, and may mean that an address must not be mailed:\n` +
        `${found.map(({ message }) => `  ${message}`).join('\n')}\n` +
        `Write what it means into a column "status" (active, pending, unsubscribed or suppressed). ` +
        `If it means nothing of the kind, leave it out: ${ways}`,
      found,
    )
  }
}
