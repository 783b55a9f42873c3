// Parts that show an edition: its name, its state, its account as a bar and as a table.

import {
  type Account,
  type Category,
  type Edition,
  type EditionState,
  type SkipReason,
  skipReasons,
} from '../../db/schema.ts'
import { progress } from '../../desk/progress.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import { number, state, type Tone } from './parts.ts'
import { isReleased, stateWords } from '../../editions/states.ts'

const tones: Record<EditionState, Tone> = {
  planning: 'busy',
  awaiting_approval: 'warn',
  held: 'warn',
  sending: 'busy',
  paused: 'warn',
  closed: 'good',
  cancelled: 'plain',
  missed: 'warn',
}

export const editionState = (edition: Pick<Edition, 'state' | 'approvedAt'>): Html =>
  state(stateWords(edition), isReleased(edition) ? 'good' : tones[edition.state])

const kinds = { scheduled: 'Digest', manual: 'Manual digest', announcement: 'Announcement' } as const

/** "Digest", "Manual digest: Politics", "Announcement: We have moved". */
export function editionName(
  edition: Pick<Edition, 'kind' | 'categoryIds' | 'content'>,
  categories: readonly Category[],
): string {
  const names = edition.categoryIds?.map((id) => categories.find((category) => category.id === id)?.name ?? `#${id}`)
  const what = edition.kind === 'announcement' ? edition.content.subject : names?.join(', ')
  return what ? `${kinds[edition.kind]}: ${what}` : kinds[edition.kind]
}

export function skippedTotal(account: Account): number {
  return skipReasons.reduce((sum, reason) => sum + account.skipped[reason], 0)
}

const parts = ['sent', 'skipped', 'uncertain', 'failed', 'open'] as const

const amounts = (account: Account) => ({ ...account, skipped: skippedTotal(account) })

/** The parts of the audience. The words are its text alternative. */
export function accountBar(account: Account, options: { isLarge?: boolean } = {}): Html {
  const { audience } = account
  if (audience === 0) return html`<span class="none">nobody</span>`
  const counts = amounts(account)
  let from = 0
  const pieces = parts.map((part) => {
    const width = (100 * counts[part]) / audience
    const piece =
      part !== 'open' &&
      width > 0 &&
      html`<rect class="${part}" x="${from.toFixed(3)}" width="${Math.max(width, 0.4).toFixed(3)}" height="10" />`
    from += width
    return piece
  })
  const words = parts
    .filter((part) => counts[part] > 0)
    .map((part) => `${number(counts[part])} ${part}`)
    .join(', ')
  return html`<svg
    class="bar${options.isLarge ? ' large' : ''}"
    viewBox="0 0 100 10"
    preserveAspectRatio="none"
    role="img"
    aria-label="${words} of ${number(audience)}"
  >
    <rect class="base" width="100" height="10" />
    ${pieces}
  </svg>`
}

export const skipWords: Record<SkipReason, string> = {
  nothing_new: 'nothing new for them',
  unsubscribed: 'unsubscribed meanwhile',
  suppressed: 'on the suppression list',
  paused: 'paused',
  superseded: 'joined into a later digest',
  withdrawn: 'all their stories withdrawn',
  cancelled: 'edition cancelled',
}

/** All lines of the account, with their sum. `link` links a state to its deliveries. */
export function accountTable(account: Account, link: (state: string) => string): Html {
  const row = (part: string, label: HtmlValue, count: number, href: string | null) =>
    html`<tr>
      <th scope="row">
        <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true"><rect class="${part}" width="10" height="10" /></svg>
        ${href && count > 0 ? html`<a href="${to(href)}">${label}</a>` : label}
      </th>
      <td class="number">${number(count)}</td>
      <td class="number">${account.audience > 0 && `${percent(count, account.audience)} %`}</td>
    </tr>`
  const reasons = skipReasons.filter((reason) => account.skipped[reason] > 0)
  return html`<table class="account">
    <thead>
      <tr>
        <th>Account</th>
        <th class="number">Subscribers</th>
        <th class="number">Share</th>
      </tr>
    </thead>
    <tbody>
      ${row('sent', 'Sent', account.sent, link('sent'))}
      ${reasons.map((reason) => row('skipped', html`Skipped: ${skipWords[reason]}`, account.skipped[reason], link('skipped')))}
      ${reasons.length === 0 && row('skipped', 'Skipped', 0, null)}
      ${row('failed', 'Failed', account.failed, link('failed'))}
      ${row('uncertain', 'Uncertain', account.uncertain, link('uncertain'))}
      ${row('open', 'Open', account.open, link('open'))}
    </tbody>
    <tfoot>
      <tr>
        <th scope="row">Audience</th>
        <td class="number">${number(account.audience)}</td>
        <td class="number">${account.audience > 0 && '100 %'}</td>
      </tr>
    </tfoot>
  </table>`
}

const percent = (count: number, of: number): string => ((100 * count) / of).toFixed(1)

/** "61 % done, 390 open". */
export function progressWords(account: Account, now: Date): string {
  const { percent: done } = progress(account, now, null)
  return account.open === 0 ? 'nothing open' : `${done} % done, ${number(account.open)} open`
}
