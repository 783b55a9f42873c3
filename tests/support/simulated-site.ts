// A site in a simulation: readers, editors, feeds, a relay that fails now and then, and a program that is killed. Everything goes
// through the product's own functions and real SMTP; what arrives is read as text and checked against the model.

import assert from 'node:assert/strict'
import PostalMime from 'postal-mime'
import { type ArticleAction, controlArticle } from '../../src/articles/control.ts'
import { renameCategory, restoreCategory, retireCategory } from '../../src/articles/categories.ts'
import { eligibleDays } from '../../src/articles/embargo.ts'
import { pushArticles } from '../../src/articles/push.ts'
import { releaseSeqs } from '../../src/articles/seq.ts'
import { Refusal } from '../../src/base/errors.ts'
import type { Delivery, Frequency } from '../../src/db/schema.ts'
import { arrangeEdition } from '../../src/desk/approval.ts'
import { decideUncertain, moveEdition, retryFailed } from '../../src/desk/control.ts'
import { triggerAnnouncement, triggerDigest } from '../../src/planning/trigger.ts'
import { changePreferences, type PreferenceChanges } from '../../src/subscribers/preferences.ts'
import { eraseSubscriber } from '../../src/subscribers/erase.ts'
import { resubscribe, unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { findSubscriber } from '../../src/subscribers/store.ts'
import { startCaptureServer } from './capture-server.ts'
import { Crash, crashingAfter } from './crashing-db.ts'
import type { House } from './house.ts'
import { addCategories, addReader, addStory, tick } from './newsroom.ts'
import { openWorker, type RelayFault, relayFaults, stepOf } from './post.ts'
import { ReadingModel } from './reading-model.ts'
import { listEditionStories } from '../../src/editions/stories.ts'
import type { EditionMove } from '../../src/editions/states.ts'

const origin = { ip: null, formUrl: null }
const slugs = ['politics', 'world', 'business']

export class SimulatedSite {
  /** Subscriber ids; a reader who erased everything signs up again under another. */
  readonly readers: number[] = []
  readonly stories: number[] = []
  isHoliday = false
  readonly #house: House
  readonly #relay: Awaited<ReturnType<typeof startCaptureServer>>
  readonly #model: ReadingModel
  readonly #faults = new Map<number, RelayFault>()
  /** Deliveries as the last look left them. */
  #known = new Map<number, string>()
  /** Published for a later hour: neither sent nor told of until then. */
  readonly #waiting = new Set<number>()
  readonly #firstCopies = new Map<string, number[]>()
  #categories: number[] = []
  #addresses = 0

  private constructor(house: House, relay: Awaited<ReturnType<typeof startCaptureServer>>) {
    this.#house = house
    this.#relay = relay
    this.#model = new ReadingModel(house.db, { minimum: house.config.digest.minimum })
    relay.fault = (step, { to }) => {
      const reader = Number(/^reader-(\d+)/.exec(to)?.[1])
      const fault = this.#faults.get(reader)
      if (!fault || step !== stepOf(fault)) return undefined
      this.#faults.delete(reader)
      return relayFaults[fault]
    }
  }

  static async open(house: House, zones: readonly string[]): Promise<SimulatedSite> {
    const site = new SimulatedSite(house, await startCaptureServer())
    site.#categories = await addCategories(house.db, ...slugs)
    for (const id of site.#categories) site.#model.addCategory(id)
    for (const [n, zone] of zones.entries()) await site.#addReader(n, zone)
    return site
  }

  async #addReader(n: number, timezone: string): Promise<void> {
    const categories = this.#categories
    const id = await addReader(this.#house.ctx, {
      email: this.#address(n),
      choice: { [categories[n % 3]!]: 'daily', [categories[(n + 1) % 3]!]: 'weekly' },
      timezone,
    })
    this.readers[n] = id
    this.#model.addReader(id)
  }

  /** Each at a domain of its own: the worker slows down per domain. */
  #address(n: number): string {
    return `reader-${n}-${++this.#addresses}@mail-${n}.example`
  }

  /** One tick and one run of the worker. `crash`: the tick before it is killed after so many statements. */
  async look(crash?: number): Promise<void> {
    const { ctx, db } = this.#house
    if (crash !== undefined)
      await tick({ ...ctx, db: crashingAfter(db, crash) }).catch((cause: unknown) => {
        if (!(cause instanceof Crash)) throw cause
      })
    await tick(ctx)
    await this.#noteReleased()
    await this.#model.noteFrozen()
    if (!this.isHoliday) await this.#send()
    await this.#settle()
  }

  async #send(): Promise<void> {
    const asOf = this.#house.clock.now()
    await openWorker(this.#house, { relays: [this.#relay.relay], asOf }).runOnce()
  }

  async #settle(): Promise<void> {
    const mails = new Map<string, { stories: number[]; waiting: number }[]>()
    for (const { message } of this.#relay.captured.splice(0)) {
      const { messageId, text } = await PostalMime.parse(Buffer.from(message, 'latin1'))
      const stories = [...text!.matchAll(/^https:\/\/news\.example\/story-(\d+)$/gm)].map(
        ([, n]) => this.stories[Number(n)]!,
      )
      const waiting = [...text!.matchAll(/^(\d+) more in /gm)].reduce((sum, [, count]) => sum + Number(count), 0)
      mails.set(messageId!, [...(mails.get(messageId!) ?? []), { stories, waiting }])
    }
    const deliveries = await this.#house.db
      .selectFrom('deliveries')
      .selectAll()
      .where('kind', '=', 'digest')
      .orderBy('id')
      .execute()
    for (const delivery of deliveries) {
      const before = this.#known.get(delivery.id)
      this.#known.set(delivery.id, standing(delivery))
      if (delivery.subscriberId === null || !this.readers.includes(delivery.subscriberId)) continue
      if (before !== standing(delivery)) await this.#settleOne(delivery, mails.get(delivery.messageId ?? '') ?? [])
      if (delivery.reason === 'superseded' && before !== standing(delivery)) checkMerged(delivery, deliveries)
    }
  }

  async #settleOne(delivery: Delivery, copies: { stories: number[]; waiting: number }[]): Promise<void> {
    const { state, messageId } = delivery
    if (state === 'skipped' && delivery.reason === 'nothing_new' && delivery.doubts === 0)
      await this.#model.hadNothing(delivery)
    if (state !== 'sent' && state !== 'uncertain') return assert.equal(copies.length, 0, `${state}, and a mail came`)
    const first = this.#firstCopies.get(messageId!)
    if (!first) {
      const [mail] = copies
      // A second copy says that more waits, not how much: when the first was lost, there is nothing to compare.
      const isSecond = delivery.doubts > 0 && mail?.waiting === 0
      await this.#model.delivered(delivery, mail ? { ...mail, waiting: isSecond ? null : mail.waiting } : null)
      this.#firstCopies.set(messageId!, mail?.stories ?? delivery.articleIds!)
    }
    // A copy of what may have arrived: the same Message-ID, and no story that the first one hadn't.
    for (const { stories } of first ? copies : copies.slice(1)) {
      assert.ok(delivery.doubts > 0, 'a mail came twice without a doubt')
      for (const story of stories) assert.ok(this.#firstCopies.get(messageId!)!.includes(story))
    }
  }

  async publish(categories: readonly number[], hoursOld: number): Promise<void> {
    const { ctx, clock, db } = this.#house
    const ids = [...new Set(categories)].map((n) => this.#categories[n]!)
    const id = await addStory(ctx, `story-${this.stories.length}`, ids)
    const publishedAt = new Date(clock.now().getTime() - hoursOld * 3_600_000)
    await db.updateTable('articles').set({ publishedAt }).where('id', '=', id).execute()
    this.stories.push(id)
    this.#model.becomesSendable(id, ids, clock.now())
  }

  /** As a publisher does, and not into a category that is retired. */
  async embargo(categories: readonly number[], hours: number): Promise<void> {
    const { ctx, clock } = this.#house
    const title = `story-${this.stories.length}`
    const article = {
      id: title,
      title,
      link: `https://news.example/${title}`,
      categories: [...new Set(categories)].map((n) => slugs[n]!),
      publishedAt: new Date(clock.now().getTime() + hours * 3_600_000),
    }
    const pushed = await pushArticles(ctx, [article]).catch(refused)
    if (!pushed) return
    this.stories.push(pushed[0]!.articleId)
    this.#waiting.add(pushed[0]!.articleId)
  }

  /** A tick releases what is due, and nothing else. */
  async #noteReleased(): Promise<void> {
    const { clock } = this.#house
    for (const story of this.#waiting) {
      const { sendableAt, publishedAt, heldAt, withdrawnAt } = await this.#article(story)
      const age = clock.now().getTime() - publishedAt.getTime()
      const isDue = age >= 0 && age < eligibleDays * 86_400_000 && !heldAt && !withdrawnAt
      assert.equal(sendableAt !== null, isDue, `story ${story} of ${publishedAt.toISOString()}`)
      if (!sendableAt) continue
      this.#waiting.delete(story)
      this.#model.becomesSendable(story, await this.#categoriesOf(story), sendableAt)
    }
  }

  #article(story: number) {
    return this.#house.db.selectFrom('articles').selectAll().where('id', '=', story).executeTakeFirstOrThrow()
  }

  story(n: number): number | undefined {
    return this.stories[n % this.stories.length]
  }

  async addToCategory(story: number, category: number): Promise<void> {
    const { db } = this.#house
    const categoryId = this.#categories[category]!
    const article = await this.#article(story)
    const own = await this.#categoriesOf(story)
    if (own.includes(categoryId) || article.heldAt || article.withdrawnAt) return
    if (!article.sendableAt) {
      await db.insertInto('articleCategories').values({ articleId: story, categoryId, seq: null }).execute()
      return
    }
    await db.transaction().execute((trx) => releaseSeqs(trx, [{ articleId: story, categoryId }]))
    this.#model.becomesSendable(story, [categoryId], article.sendableAt)
  }

  async redate(story: number, hours: number): Promise<void> {
    const { db } = this.#house
    const article = await this.#article(story)
    const publishedAt = new Date(article.publishedAt.getTime() + hours * 3_600_000)
    await db
      .updateTable('articles')
      .set({ publishedAt, title: `${article.title}!` })
      .where('id', '=', story)
      .execute()
  }

  async control(story: number, action: ArticleAction): Promise<void> {
    const before = await this.#article(story)
    await controlArticle(this.#house.ctx, story, action)
    const after = await this.#article(story)
    const wasOut = before.heldAt !== null || before.withdrawnAt !== null
    const isOut = after.heldAt !== null || after.withdrawnAt !== null
    if (isOut) this.#model.isStopped(story)
    else if (wasOut && after.sendableAt)
      this.#model.becomesSendable(story, await this.#categoriesOf(story), after.sendableAt)
  }

  async #categoriesOf(story: number): Promise<number[]> {
    const rows = await this.#house.db
      .selectFrom('articleCategories')
      .selectAll()
      .where('articleId', '=', story)
      .execute()
    return rows.map(({ categoryId }) => categoryId)
  }

  async changeCategory(category: number, how: 'retire' | 'restore' | 'rename'): Promise<void> {
    const { ctx } = this.#house
    const slug = slugs[category]!
    if (how === 'retire') await retireCategory(ctx, slug)
    else if (how === 'restore') await restoreCategory(ctx, slug)
    else await renameCategory(ctx, { slug, name: `News of ${slug}` })
  }

  async prefer(reader: number, changes: PreferenceChanges): Promise<void> {
    await changePreferences(this.#house.ctx, this.readers[reader]!, changes, origin)
  }

  async choose(reader: number, category: number, frequency: Frequency | 'off'): Promise<void> {
    await this.prefer(reader, { choices: { [slugs[category]!]: frequency } })
  }

  async moveAddress(reader: number): Promise<void> {
    const email = this.#address(reader)
    await this.#house.db
      .updateTable('subscribers')
      .set({ email, emailKey: email, emailHash: email })
      .where('id', '=', this.readers[reader]!)
      .execute()
  }

  async leave(reader: number, how: 'unsubscribe' | 'return' | 'erase'): Promise<void> {
    const { ctx } = this.#house
    const id = this.readers[reader]!
    if (how === 'unsubscribe') await unsubscribe(ctx, id, { way: 'page', origin })
    else if (how === 'return') await resubscribe(ctx, id, origin)
    else {
      await eraseSubscriber(ctx, id)
      this.#model.forgetReader(id)
      await this.#addReader(reader, 'Europe/Berlin')
    }
  }

  breakRelay(reader: number, fault: RelayFault): void {
    this.#faults.set(reader, fault)
  }

  /** What was deferred is due again. */
  async comeRetries(): Promise<void> {
    const next = { nextAttemptAt: new Date(0) }
    await this.#house.db.updateTable('deliveries').set(next).where('nextAttemptAt', 'is not', null).execute()
  }

  async trigger(category: number | null): Promise<void> {
    await triggerDigest(this.#house.ctx, {
      categories: category === null ? [] : [slugs[category]!],
      actor: 'cli',
    }).catch(refused)
  }

  async announce(): Promise<void> {
    await triggerAnnouncement(this.#house.ctx, { subject: 'A note', body: 'Nothing new.', actor: 'cli' })
  }

  /** Some editor presses a button on the nth newest edition, whether it is there or not. */
  async press(nth: number, button: EditionMove | 'retry' | 'sent' | 'resend'): Promise<void> {
    const { ctx } = this.#house
    const edition = await this.#newest(nth)
    if (!edition) return
    const input = { editionId: edition.id, actor: 'editor:1' } as const
    if (button === 'retry') await retryFailed(ctx, input).catch(refused)
    else if (button === 'sent' || button === 'resend')
      await decideUncertain(ctx, { ...input, as: button }).catch(refused)
    else await moveEdition(ctx, { ...input, move: button }).catch(refused)
  }

  /** Drops one story, pins another and turns the order round, in the newest edition that waits. */
  async arrange(drop: number, pin: number): Promise<void> {
    const { ctx, db } = this.#house
    const edition = await db
      .selectFrom('editions')
      .select('id')
      .where('state', 'in', ['awaiting_approval', 'held'])
      .orderBy('id', 'desc')
      .executeTakeFirst()
    if (!edition) return
    const stories = await listEditionStories(db, edition.id)
    if (stories.length === 0) return
    const [dropped, pinned] = [stories[drop % stories.length]!, stories[pin % stories.length]!]
    const order = this.#categories.map((categoryId) => ({
      categoryId,
      articleIds: stories
        .filter((story) => story.categoryId === categoryId)
        .map(({ articleId }) => articleId)
        .reverse(),
    }))
    const arrangement = { drop: [dropped.articleId], pin: [pinned.articleId], order, intro: 'Good morning.' }
    await arrangeEdition(ctx, { editionId: edition.id, arrangement, actor: 'editor:1' }).catch(refused)
    await this.#model.noteFrozen()
  }

  async #newest(nth: number) {
    return this.#house.db
      .selectFrom('editions')
      .select('id')
      .orderBy('id', 'desc')
      .offset(nth)
      .limit(1)
      .executeTakeFirst()
  }

  /** Everything that waits is let go; then one manual edition brings everyone what is left, and every account adds up. */
  async finish(): Promise<void> {
    const { db, clock } = this.#house
    this.isHoliday = false
    this.#faults.clear()
    for (const slug of slugs) await restoreCategory(this.#house.ctx, slug)
    for (const [n] of this.readers.entries()) await this.prefer(n, { pausedUntil: null })
    clock.advance('30h')
    await this.look()
    for (let round = 0; round < 2; round++) {
      for (const { id, state } of await db.selectFrom('editions').selectAll().where('closedAt', 'is', null).execute()) {
        if (state === 'held' || state === 'awaiting_approval' || state === 'paused') {
          const move = state === 'paused' ? 'resume' : 'release'
          await moveEdition(this.#house.ctx, { editionId: id, move, actor: 'cli' }).catch(refused)
        }
      }
      await this.comeRetries()
      await this.look()
      await this.look()
      if (round === 0) await this.trigger(null)
    }
    await tick(this.#house.ctx)
    await this.#checkAccounts()
    if (this.#house.config.digest.minimum === 1) await this.#checkNothingLeft()
  }

  async #checkAccounts(): Promise<void> {
    for (const edition of await this.#house.db.selectFrom('editions').selectAll().execute()) {
      // The next slot's edition may have been built for approval already.
      if (edition.state === 'missed' || edition.state === 'awaiting_approval') continue
      assert.ok(edition.closedAt, `edition ${edition.id} is ${edition.state}`)
      const { audience, sent, failed, uncertain, open, skipped } = edition.account!
      const skips = Object.values(skipped).reduce((sum, count) => sum + count, 0)
      assert.equal(audience, sent + failed + uncertain + open + skips)
      assert.equal(audience, edition.audience)
      assert.equal(open, 0)
    }
  }

  async #checkNothingLeft(): Promise<void> {
    const { db, clock } = this.#house
    for (const reader of this.readers) {
      const own = (await findSubscriber(db, reader))!
      if (own.status !== 'active') continue
      const chosen = await db.selectFrom('subscriptions').selectAll().where('subscriberId', '=', reader).execute()
      assert.equal(own.nextDueAt === null, chosen.length === 0, `reader ${reader} is due when something is chosen`)
      const left = await this.#model.left(reader, clock.now())
      assert.deepEqual(left, [], `reader ${reader} was never sent nor told of these`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#relay.close()
  }
}

/** What was due in a digest that was overtaken is due in the one that overtook it. */
function checkMerged({ id, subscriberId, due }: Delivery, all: readonly Delivery[]): void {
  const next = all.find((each) => each.id > id && each.subscriberId === subscriberId)
  assert.equal((next?.due ?? 0) & due, due, `delivery ${id} was superseded, and what was due in it is lost`)
}

function standing({ state, attempt, settledAt, doubts }: Delivery): string {
  return `${state} ${attempt} ${doubts} ${settledAt?.getTime()}`
}

/** The button isn't there in this state: fine. */
function refused(cause: unknown): void {
  if (!(cause instanceof Refusal)) throw cause
}
