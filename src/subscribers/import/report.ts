// What an import would do, before it does anything: counts, with the first ten of each kind.

import { isRole, meantDomain } from './addresses.ts'
import type { Decision, FoundRow, Outcome } from './decide.ts'
import type { List } from './list.ts'
import type { Standing } from './standing.ts'

export interface Example {
  file: string
  line: number
  /** The address, or the text of the line. */
  text: string
}

export interface ImportReport {
  /** SHA-256 over all files. */
  hash: string
  files: { name: string; readAs: string; rows: number; everybodyIs: Standing | null; leftOut: string[] }[]
  notRead: string[]
  rows: number
  outcomes: Partial<Record<Outcome, number>>
  /** Rows that can't be imported as they are, by reason. */
  rejected: Record<string, number>
  duplicates: number
  examples: Record<string, Example[]>
  /** Part of the subscribed ones. */
  withoutConsentTime: number
  withoutConsentIp: number
  choosingInFile: number
  roleAddresses: number
  /** By domain as written: which was probably meant, and how often it occurs. */
  domainSlips: Record<string, { meant: string; count: number }>
}

const mostExamples = 10
const mostSlips = 50

export class Tally {
  readonly report: ImportReport

  constructor(lists: readonly List[], notRead: readonly string[], hash: string) {
    this.report = {
      hash,
      files: lists.map(({ name, readAs, ofFile, columns }) => ({
        name,
        readAs,
        rows: 0,
        everybodyIs: ofFile,
        leftOut: columns.flatMap(({ title, reading }) =>
          reading.as === 'nothing' && reading.isChecked && title !== 'text' ? [title] : [],
        ),
      })),
      notRead: notRead.slice(0, 100),
      rows: 0,
      outcomes: {},
      rejected: {},
      duplicates: 0,
      examples: {},
      withoutConsentTime: 0,
      withoutConsentIp: 0,
      choosingInFile: 0,
      roleAddresses: 0,
      domainSlips: {},
    }
  }

  reject(reason: string, example: Example): void {
    this.report.rejected[reason] = (this.report.rejected[reason] ?? 0) + 1
    this.#example('rejected', example)
  }

  duplicate(example: Example): void {
    this.report.duplicates++
    this.#example('duplicate', example)
  }

  decided({ row, outcome, why }: Decision<FoundRow & { file: string }>): void {
    const { report } = this
    const example = { file: row.file, line: row.line, text: row.email }
    report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1
    this.#example(outcome, example)
    if (why) this.reject(why, example)
    if (outcome !== 'subscribed' && outcome !== 'asked') return
    if (!row.hasConsentTime) report.withoutConsentTime++
    if (!row.consentIp) report.withoutConsentIp++
    if (row.choosesInFile) report.choosingInFile++
    if (isRole({ email: row.email, key: row.emailKey })) {
      report.roleAddresses++
      this.#example('role', example)
    }
    const meant = meantDomain({ email: row.email, key: row.emailKey })
    if (meant) this.#slip(row.emailKey.slice(row.emailKey.lastIndexOf('@') + 1), meant, example)
  }

  #slip(domain: string, meant: string, example: Example): void {
    const { domainSlips } = this.report
    if (Object.keys(domainSlips).length >= mostSlips && !domainSlips[domain]) return
    domainSlips[domain] = { meant, count: (domainSlips[domain]?.count ?? 0) + 1 }
    this.#example('slip', example)
  }

  #example(kind: string, example: Example): void {
    const examples = (this.report.examples[kind] ??= [])
    if (examples.length < mostExamples) examples.push({ ...example, text: example.text.slice(0, 120) })
  }
}

const outcomeWords: Record<Outcome, string> = {
  subscribed: 'become active subscribers',
  asked: 'are asked to confirm, and get nothing before they do',
  pending: 'never confirmed there: kept as unsubscribed',
  unsubscribed: 'unsubscribed there: kept as unsubscribed',
  bounced: 'bounced there: kept on the suppression list',
  complained: 'complained there: kept on the suppression list',
  blocked: 'are blocked there: kept on the suppression list',
  'unsubscribed-now': 'are here and unsubscribed there: they become unsubscribed',
  'suppressed-now': 'are here and bounced, complained or are blocked there: they go on the suppression list',
  'agreed-later': 'unsubscribed or bounced there and agreed here after that: unchanged',
  unchanged: 'are here already: unchanged',
  'kept-out': 'are unsubscribed, suppressed or not confirmed here, and stay so whatever the file says',
}

const number = (count: number) => count.toLocaleString('en')

/** One sentence each, for the terminal and the console. Pure. */
export function sentencesOf(report: ImportReport, isOurs = false): string[] {
  const { files, rows, outcomes, rejected, duplicates, examples, domainSlips } = report
  const some = (kind: string, text = (one: Example) => one.text) => (examples[kind] ?? []).map(text).join(', ')
  const count = (what: number, words: string, kind?: string) =>
    what > 0 ? [`  ${number(what)} ${words}${kind ? `: ${some(kind)}` : ''}`] : []
  return [
    `${number(rows)} rows in ${files.length === 1 ? 'one file' : `${files.length} files`}.`,
    ...files
      .slice(0, 20)
      .flatMap((file) => [
        `  ${file.name}: ${number(file.rows)} rows, read as ${file.readAs}`,
        ...(file.everybodyIs ? [`    By its name, everybody in it is ${file.everybodyIs} there.`] : []),
        ...(file.leftOut.length > 0 ? [`    Columns that are left out: ${file.leftOut.join(', ')}`] : []),
      ]),
    ...(files.length > 20 ? [`  … and ${files.length - 20} more files`] : []),
    ...(report.notRead.length > 0 ? [`  Not read: ${report.notRead.slice(0, 10).join(', ')}`] : []),
    ...(Object.keys(outcomeWords) as Outcome[]).flatMap((outcome) =>
      count(
        outcomes[outcome] ?? 0,
        outcome === 'pending' && isOurs ? 'wait for their confirmation' : outcomeWords[outcome],
        outcome,
      ),
    ),
    ...count(duplicates, 'come more than once; the strictest row of each counts', 'duplicate'),
    ...Object.entries(rejected).map(([reason, times]) => `  ${number(times)} rejected: ${reason}`),
    ...((examples['rejected'] ?? []).length > 0
      ? [`    ${some('rejected', (one) => `line ${one.line} "${one.text}"`)}`]
      : []),
    ...count(report.withoutConsentTime, 'of those to be mailed have no time of consent'),
    ...count(report.withoutConsentIp, 'of those to be mailed have no place (IP address) of consent'),
    ...count(report.choosingInFile, 'of those to be mailed choose by the file, the others get the default choice'),
    ...count(report.roleAddresses, 'are addresses that several people may read', 'role'),
    ...Object.entries(domainSlips).map(
      ([domain, { meant, count: times }]) => `  ${number(times)} at ${domain}, where ${meant} was probably meant`,
    ),
  ]
}
