// What the parts of the preferences page are made from.

import type { FieldProblem, Refusal } from '../../base/errors.ts'
import type { Category, Subscriber } from '../../db/schema.ts'
import type { Say } from '../../messages/messages.ts'
import type { ComingSection } from '../../digests/coming.ts'
import { html, type Html } from '../html.ts'
import type { TypedPreferences } from './preferences-input.ts'

/** What was just done, and the token that takes it back, if anything does. */
export interface Notice {
  text: string
  undo?: { action: string; token?: string; label: string } | undefined
}

export interface PreferencesView {
  say: Say
  token: string
  /** Whether the link was made within the last day. */
  isFresh: boolean
  subscriber: Subscriber
  categories: readonly Category[]
  typed: TypedPreferences
  coming: readonly ComingSection[]
  now: Date
  notice?: Notice | undefined
  moved?: { slug: string; way: string } | undefined
  refusal?: Refusal | undefined
}

export function tokenField({ token }: Pick<PreferencesView, 'token'>): Html {
  return html`<input type="hidden" name="token" value="${token}" />`
}

export function problemOf({ refusal }: PreferencesView, field: string): FieldProblem | undefined {
  return refusal?.problems.find((one) => one.field === field)
}
