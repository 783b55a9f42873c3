// Reads one row of a list: the person, whether the address may be mailed, and other fields. A row that can't be imported is a
// Refusal that names the column. Only fields of people who will be mailed are read strictly: a time or a zone that isn't
// understood doesn't keep an unsubscribe from being imported.

import { isIP } from 'node:net'
import { invalid, Refusal } from '../../base/errors.ts'
import type { SubscriberStatus } from '../../db/schema.ts'
import { readTimezone } from '../choices.ts'
import type { Choices } from '../choices.ts'
import { linkDays } from '../links.ts'
import { readNumber } from '../preferences.ts'
import type { SuppressionReason } from '../suppression.ts'
import { addressIn, unquoteFormula } from './addresses.ts'
import { type ChoiceRules, choiceOf } from './choice.ts'
import type { Column } from './columns.ts'
import { languageIn } from './language.ts'
import { readDate } from './dates.ts'
import type { Field } from './readings.ts'
import { isSuppressing, reasonFor, type Standing } from './standing.ts'
import { type OnDoubt, statementOf } from './statement.ts'
import { isBlank } from './words.ts'

export interface ListRow {
  line: number
  email: string
  emailKey: string
  standing: Standing
  /** From our own export: pending sign-ups may still confirm. */
  isOurs: boolean
  choices: Choices
  choosesInFile: boolean
  /** Slugs, first one first. */
  order: string[]
  timezone: string | null
  sendHour: number | null
  weeklyDay: number | null
  monthlyDay: number | null
  locale: string | null
  pausedUntil: Date | null
  createdAt: Date
  /** For a pending sign-up. */
  requestedAt: Date
  confirmedAt: Date | null
  unsubscribedAt: Date | null
  /** When they unsubscribed or were suppressed there; null: the file doesn't say. */
  endedAt: Date | null
  reason: SuppressionReason | null
  /** The status that an editor restores by removing the suppression. */
  statusBefore: Exclude<SubscriberStatus, 'suppressed'>
  hasConsentTime: boolean
  consentIp: string | null
  consentPlace: string | null
  /** The file's own texts about time and place, by field. */
  said: Record<string, string>
}

export interface RowRules {
  columns: readonly Column[]
  ofFile: Standing | null
  isOurs: boolean
  choice: ChoiceRules
  now: Date
}

export function readRow(given: readonly string[], line: number, rules: RowRules, onDoubt: OnDoubt): ListRow {
  const { columns, now, isOurs } = rules
  const cells = given.map(unquoteFormula)
  if (cells.length > columns.length && cells.slice(columns.length).some(Boolean))
    throw invalid('line', 'has more cells than there are columns')
  if (cells.length < columns.length) throw invalid('line', 'has fewer cells than there are columns')
  const { standing, times } = statementOf(columns, cells, rules.ofFile, now, onDoubt)
  const kept = keptCells(columns, cells)
  const cell = (name: Field) => kept.get(name) ?? times[name] ?? ''
  const address = addressIn(given[columns.findIndex((one) => isEmail(one))] ?? '')
  if (!address) throw invalid('email', 'is not an e-mail address')
  if (cells.some((one) => one.includes('\0'))) throw invalid('line', 'contains a character that can’t be stored')
  const date = (name: Field) => readDate(cell(name), now) ?? null
  const isWanted = standing === 'subscribed' || (standing === 'pending' && isOurs)
  // Invalid settings of somebody who isn't mailed do no harm.
  const setting = <T>(read: () => T): T | null => {
    try {
      return read()
    } catch (error) {
      if (isWanted || !(error instanceof Refusal)) throw error
      return null
    }
  }
  const chosen = setting(() => choiceOf(columns, cells, rules.choice)) ?? { choices: {}, fromFile: false }
  const createdAt = date('created_at') ?? date('consent_at') ?? now
  const requestedAt = date('requested_at') ?? createdAt
  if (standing === 'pending' && isOurs && requestedAt.getTime() < now.getTime() - linkDays.confirm * 86_400_000)
    throw invalid('requested_at', `is over ${linkDays.confirm} days ago, and the sign-up was never confirmed`)
  const statusBefore = cell('status_before')
  return {
    line,
    email: address.email,
    emailKey: address.key,
    standing,
    isOurs,
    choices: chosen.choices,
    choosesInFile: chosen.fromFile,
    order: setting(() => readOrder(cell('order'), rules.choice)) ?? [],
    timezone: setting(() => readTimezone(cell('timezone'))),
    sendHour: setting(() => readNumber('send_hour', cell('send_hour'), 0, 23)),
    weeklyDay: setting(() => readNumber('weekly_day', cell('weekly_day'), 1, 7)),
    monthlyDay: setting(() => readNumber('monthly_day', cell('monthly_day'), 1, 31)),
    locale: setting(() => languageIn(cell('locale'), isOurs)),
    pausedUntil: setting(() => readPausedUntil(cell('paused_until'))),
    createdAt,
    requestedAt,
    // If a person isn't subscribed and has no such time, no confirmation is known.
    confirmedAt: date('confirmed_at') ?? (standing === 'subscribed' ? (date('consent_at') ?? now) : null),
    unsubscribedAt: date('unsubscribed_at') ?? (standing === 'unsubscribed' || standing === 'pending' ? now : null),
    endedAt:
      standing === 'unsubscribed' ? date('unsubscribed_at') : isSuppressing(standing) ? date('suppressed_at') : null,
    reason: isSuppressing(standing) ? reasonOf(cell('suppression_reason'), reasonFor[standing]) : null,
    statusBefore: isOurs && (statusBefore === 'active' || statusBefore === 'pending') ? statusBefore : 'unsubscribed',
    hasConsentTime: date('consent_at') !== null || date('confirmed_at') !== null,
    consentIp: isIP(cell('consent_ip')) ? cell('consent_ip') : null,
    consentPlace: cell('consent_place').slice(0, 500) || null,
    said: saidOf(cell),
  }
}

const isEmail = ({ reading }: Column) => reading.as === 'field' && reading.field === 'email'

function keptCells(columns: readonly Column[], cells: readonly string[]): Map<Field, string> {
  const kept = new Map<Field, string>()
  columns.forEach(({ reading }, index) => {
    if (reading.as === 'field' && !isBlank(cells[index]!) && !kept.has(reading.field))
      kept.set(reading.field, cells[index]!)
  })
  return kept
}

function readOrder(cell: string, { categories }: ChoiceRules): string[] {
  const order = cell.split(/[\s,;]+/).filter(Boolean)
  const unknown = order.find((slug) => !categories.some((category) => category.slug === slug))
  if (unknown) throw invalid('order', `names ${unknown.slice(0, 60)}, which isn’t a category`)
  return order
}

function readPausedUntil(cell: string): Date | null {
  if (!cell) return null
  const at = new Date(cell)
  if (!/^\d{4}-\d\d-\d\d/.test(cell) || Number.isNaN(at.getTime()))
    throw invalid('paused_until', 'is not a time such as 2026-03-02T07:00:00Z')
  return at
}

const reasons: readonly SuppressionReason[] = ['hard_bounce', 'soft_bounces', 'complaint', 'manual']

function reasonOf(cell: string, otherwise: SuppressionReason): SuppressionReason {
  return reasons.find((one) => one === cell.toLowerCase()) ?? otherwise
}

const saidFields = [
  'created_at',
  'requested_at',
  'confirmed_at',
  'unsubscribed_at',
  'suppressed_at',
  'consent_at',
  'consent_ip',
  'consent_place',
  'consent_wording',
] as const satisfies readonly Field[]

function saidOf(cell: (name: Field) => string): Record<string, string> {
  return Object.fromEntries(saidFields.flatMap((name) => (cell(name) ? [[name, cell(name).slice(0, 2000)]] : [])))
}
