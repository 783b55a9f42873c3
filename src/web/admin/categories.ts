// Categories: added, renamed, reordered, retired (after a page that explains the effect) and offered again.

import type { Router } from 'express'
import { noteAction } from '../../access/audit.ts'
import {
  addCategory,
  getCategory,
  renameCategory,
  reorderCategories,
  restoreCategory,
  retireCategory,
} from '../../articles/categories.ts'
import { listFeedPages } from '../../articles/category-pages.ts'
import { countsByCategory, listCategories } from '../../articles/store.ts'
import type { Category } from '../../db/schema.ts'
import { field, readForm } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { defaultChoiceSection } from './default-choice.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { empty, number, rowList, state } from './parts.ts'
import { noticeOf } from './query.ts'
import { categoryTextFields, categoryTextsOf } from './site-texts.ts'
import { seeOther } from '../place.ts'

const back = ['Categories', '/admin/categories'] as const

export function mountCategories(router: Router, web: WebContext): void {
  router.get('/categories', async (request, response) => {
    const all = await listCategories(web.db, { withRetired: true })
    const counts = await countsByCategory(web.db)
    sendConsole(request, response, web, {
      section: 'categories',
      title: 'Categories',
      notice: noticeOf(request, {
        added: 'Added. Readers can pick it from now on.',
        changed: 'Saved.',
        retired: 'Retired. It is no longer offered and in no digest.',
        restored: 'Offered again.',
        'default-choice': 'Default choice saved. New sign-ups that choose nothing get it.',
      }),
      body: html`${
          all.length === 0
            ? empty('No categories yet. Readers pick from what you add here.')
            : categoryRows(all, counts)
        }
        <h2>Add a category</h2>
        <form method="post" action="${to('/admin/categories')}">
          <label for="name">Name</label>
          <input id="name" name="name" required maxlength="80" autocomplete="off" placeholder="World News" />
          <label for="description">One line about it <span class="small">(optional)</span></label>
          <input id="description" name="description" maxlength="200" autocomplete="off" />
          <p class="buttons"><button class="main">Add it</button></p>
        </form>
        ${await defaultChoiceSection(web)}`,
    })
  })

  router.post('/categories', readForm, async (request, response) => {
    const added = await addCategory(web, {
      name: field(request, 'name') ?? '',
      description: field(request, 'description'),
    })
    await noteAction(web, { actor: actorOf(request), action: 'category.added', subject: `category:${added.slug}` })
    seeOther(response, '/admin/categories?done=added')
  })

  router.get('/categories/:slug', async (request, response) => {
    const category = await getCategory(web, request.params.slug)
    const found = (await listFeedPages(web.db)).get(category.id)
    sendConsole(request, response, web, {
      section: 'categories',
      title: category.name,
      back,
      body: html`<form method="post">
          <label for="name">Name</label>
          <input id="name" name="name" required maxlength="80" value="${category.name}" autocomplete="off" />
          <label for="description">One line about it</label>
          <input
            id="description"
            name="description"
            maxlength="200"
            value="${category.description}"
            autocomplete="off"
          />
          <label for="pageUrl">Its page on the site <span class="small">(optional)</span></label>
          <p class="small" id="pageUrl-note">
            “12 more in ${category.name}” links to it.
            ${
              found
                ? html`Without one: <code>${found}</code>, found by its feeds.`
                : 'Without one, that link leads to the web archive.'
            }
          </p>
          <input
            id="pageUrl"
            name="pageUrl"
            type="url"
            maxlength="2000"
            value="${category.pageUrl}"
            aria-describedby="pageUrl-note"
            autocomplete="off"
          />
          ${categoryTextFields(web.config, category)}
          <p class="buttons"><button class="main">Save</button></p>
        </form>
        <p class="small">
          Programs and forms know it as <code>${category.slug}</code>. Subscriptions and stories stay when the name
          changes.
        </p>
        ${
          category.retiredAt
            ? html`<form method="post" action="${to(`/admin/categories/${category.slug}/restore`)}">
                <p class="buttons"><button>Offer it again</button></p>
              </form>`
            : html`<p><a href="${to(`/admin/categories/${category.slug}/retire`)}">Retire it…</a></p>`
        }`,
    })
  })

  router.post('/categories/:slug', readForm, async (request, response) => {
    const changed = await renameCategory(web, {
      slug: String(request.params.slug),
      name: field(request, 'name'),
      description: field(request, 'description'),
      pageUrl: field(request, 'pageUrl'),
      translations: categoryTextsOf(request),
    })
    await noteAction(web, { actor: actorOf(request), action: 'category.renamed', subject: `category:${changed.slug}` })
    seeOther(response, '/admin/categories?done=changed')
  })

  router.post('/categories/:slug/move', readForm, async (request, response) => {
    const { slug } = await getCategory(web, String(request.params.slug))
    const order = (await listCategories(web.db)).map((category) => category.slug)
    const place = order.indexOf(slug)
    const target = Math.max(0, place + (field(request, 'to') === 'up' ? -1 : 1))
    order.splice(target, 0, ...order.splice(place, 1))
    await reorderCategories(web, order)
    await noteAction(web, { actor: actorOf(request), action: 'category.reordered', subject: `category:${slug}` })
    seeOther(response, '/admin/categories')
  })

  router.get('/categories/:slug/retire', async (request, response) => {
    const category = await getCategory(web, request.params.slug)
    const { count } = await web.db
      .selectFrom('subscriptions')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('categoryId', '=', category.id)
      .executeTakeFirstOrThrow()
    sendConfirmation(request, response, web, {
      section: 'categories',
      title: `Retire “${category.name}”?`,
      explanation: html`<p>
        It is no longer offered and comes in no digest; ${number(count)} subscriptions rest. What was sent stays, and
        nobody is mailed about it. You can offer it again at any time.
      </p>`,
      button: 'Retire this category',
      back,
      isFinal: true,
    })
  })

  router.post('/categories/:slug/retire', async (request, response) => {
    const retired = await retireCategory(web, request.params.slug)
    await noteAction(web, { actor: actorOf(request), action: 'category.retired', subject: `category:${retired.slug}` })
    seeOther(response, '/admin/categories?done=retired')
  })

  router.post('/categories/:slug/restore', async (request, response) => {
    const restored = await restoreCategory(web, request.params.slug)
    await noteAction(web, {
      actor: actorOf(request),
      action: 'category.restored',
      subject: `category:${restored.slug}`,
    })
    seeOther(response, '/admin/categories?done=restored')
  })
}

function categoryRows(all: readonly Category[], counts: ReadonlyMap<number, number>): Html {
  const move = (category: Category, direction: 'up' | 'down', words: string) =>
    html`<form class="inline-form" method="post" action="${to(`/admin/categories/${category.slug}/move`)}">
      <button class="quiet" name="to" value="${direction}" aria-label="Move ${category.name} ${direction}">
        ${words}
      </button>
    </form>`
  const offered = all.filter(({ retiredAt }) => !retiredAt)
  return rowList(
    'Categories',
    all.map((category) => ({
      title: html`<a href="${to(`/admin/categories/${category.slug}`)}">${category.name}</a>`,
      state: category.retiredAt ? state('retired', 'plain') : state('offered', 'good'),
      under: category.description,
      facts: [
        ['Stories', number(counts.get(category.id) ?? 0)],
        ['Slug', html`<code>${category.slug}</code>`],
      ],
      actions:
        !category.retiredAt &&
        html`${category !== offered[0] && move(category, 'up', '↑ Up')}
        ${category !== offered.at(-1) && move(category, 'down', '↓ Down')}`,
    })),
  )
}
