// The first page: what needs attention, what is sent next, what was sent today, and how the number of subscribers grows.

import type { Router } from 'express'
import { listCategories } from '../../articles/store.ts'
import { formatDate } from '../../base/dates.ts'
import { html, type Html, to } from '../html.ts'
import { beginnings, growth, healthWarnings, nextSlots, subscriberTotals } from '../reads/overview.ts'
import type { WebContext } from '../web-context.ts'
import { growthChart, type GrowthDay } from './chart.ts'
import { editionTable, newestEditions } from './editions.ts'
import { sendConsole } from './layout.ts'
import { count, dayOf, empty, moment, number, sentence, slimTable, state } from './parts.ts'

const growthDays = 30

export function mountOverview(router: Router, web: WebContext): void {
  router.get('/', async (request, response) => {
    const now = web.clock.now()
    const [slots, totals, warnings, has] = [
      await nextSlots(web),
      await subscriberTotals(web),
      await healthWarnings(web),
      await beginnings(web),
    ]
    const today = dayOf(web.config, now)
    const editions = (await newestEditions(web, 30)).filter(
      (edition) => edition.closedAt === null || dayOf(web.config, edition.slotAt ?? edition.createdAt) === today,
    )
    const categories = await listCategories(web.db, { withRetired: true })
    sendConsole(request, response, web, {
      section: 'overview',
      title: 'Overview',
      actions: html`<a class="button main" href="${to('/admin/trigger')}">Send a digest now…</a>
        <a class="button" href="${to('/admin/preview')}">Preview the next</a>`,
      body: html`${warningList(web, warnings)}
        <ul class="figures">
          <li><b>${number(totals.active)}</b> <span>active subscribers</span></li>
          <li><b>${number(totals.pending)}</b> <span>to confirm</span></li>
          <li><b>${number(totals.unsubscribed)}</b> <span>unsubscribed</span></li>
          <li><b>${number(totals.suppressed)}</b> <span>suppressed</span></li>
        </ul>
        ${firstSteps(has)}
        <h2>Next slots</h2>
        ${
          slots.length === 0
            ? empty(
                'Nobody is due. A slot appears here as soon as a subscriber has confirmed.',
                html`<p>
                  The form is on <a href="${to('/')}">the public page</a>; a list from elsewhere comes in by
                  <code>npm run -s cli -- subscribers import FILE.csv --source TEXT</code>.
                </p>`,
              )
            : slimTable(
                'Next slots',
                html`<tr>
                  <th>At</th>
                  <th class="number">Subscribers due</th>
                </tr>`,
                slots.map(
                  (slot) =>
                    html`<tr>
                      <td>
                        ${moment(web.config, slot.slotAt)}
                        ${slot.slotAt <= now ? state('due now', 'busy') : html`<small>${inWords(slot.slotAt, now)}</small>`}
                      </td>
                      <td class="number">${number(slot.due)}</td>
                    </tr>`,
                ),
              )
        }
        <h2>Today’s editions</h2>
        ${
          editions.length === 0
            ? empty('None yet today.', html`<p><a href="${to('/admin/editions')}">Earlier ones</a></p>`)
            : editionTable(web, editions, categories)
        }
        <h2>Subscribers, the last ${growthDays} days</h2>
        ${growthPart(await growthByDay(web, now))}`,
    })
  })
}

function firstSteps(has: { feeds: boolean; articles: boolean; categories: boolean }): Html {
  const steps = [
    !has.categories &&
      html`<li><a href="${to('/admin/categories')}">Add the categories</a> that readers may choose.</li>`,
    !has.feeds &&
      html`<li>
        <a href="${to('/admin/feeds')}">Add a feed</a> for each; or push stories by
        <a href="${to('/api/docs')}">the API</a>.
      </li>`,
    !has.articles &&
      has.feeds &&
      html`<li>Wait for the first stories: <a href="${to('/admin/feeds')}">how the feeds are</a>.</li>`,
  ].filter(Boolean)
  if (steps.length === 0) return html``
  return html`<h2>First steps</h2>
    <ol>
      ${steps}
    </ol>`
}

function warningList(web: WebContext, warnings: Awaited<ReturnType<typeof healthWarnings>>): Html {
  if (warnings.length === 0) return html`<p class="warnings">${state('Nothing needs attention.', 'good')}</p>`
  return html`<ul class="warnings" aria-label="Needs attention">
    ${warnings.map(
      (warning) =>
        html`<li>
          ${state(warning.tone === 'bad' ? 'Act' : 'Look', warning.tone)}
          ${
            warning.href
              ? html`<a href="${to(warning.href)}">${sentence(web.config, warning.text)}</a>`
              : sentence(web.config, warning.text)
          }
        </li>`,
    )}
  </ul>`
}

/** Days in the site's time zone, from hours. */
async function growthByDay(web: WebContext, now: Date): Promise<GrowthDay[]> {
  const { timezone } = web.config.digest
  const days = new Map<string, GrowthDay>()
  for (let back = growthDays - 1; back >= 0; back--) {
    const at = new Date(now.getTime() - back * 86_400_000)
    days.set(dayOf(web.config, at), { label: formatDate(at, 'shortDay', timezone, 'en'), came: 0, left: 0 })
  }
  for (const hour of await growth(web, growthDays)) {
    const day = days.get(dayOf(web.config, hour.at))
    if (!day) continue
    day.came += hour.came
    day.left += hour.left
  }
  return [...days.values()]
}

function growthPart(days: readonly GrowthDay[]): Html {
  const moved = days.filter((day) => day.came > 0 || day.left > 0)
  if (moved.length === 0) return empty(`Nobody joined or unsubscribed in ${days.length} days.`)
  const came = moved.reduce((sum, day) => sum + day.came, 0)
  const left = moved.reduce((sum, day) => sum + day.left, 0)
  return html`<p>${number(came)} joined, ${number(left)} unsubscribed.</p>
    ${growthChart(days)}
    <details>
      <summary>Day by day</summary>
      ${slimTable(
        'Growth by day',
        html`<tr>
          <th>Day</th>
          <th class="number">Joined</th>
          <th class="number">Unsubscribed</th>
          <th class="number">Difference</th>
        </tr>`,
        moved.toReversed().map(
          (day) =>
            html`<tr>
              <td>${day.label}</td>
              <td class="number">${number(day.came)}</td>
              <td class="number">${number(day.left)}</td>
              <td class="number">${day.came >= day.left && '+'}${number(day.came - day.left)}</td>
            </tr>`,
        ),
      )}
    </details>`
}

function inWords(at: Date, now: Date): string {
  const minutes = Math.round((at.getTime() - now.getTime()) / 60_000)
  if (minutes < 60) return `in ${count(Math.max(1, minutes), 'minute')}`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `in ${count(hours, 'hour')}` : `in ${count(Math.round(hours / 24), 'day')}`
}
