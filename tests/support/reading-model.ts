// What must come to whom, kept beside the product: per reader the stories that were in a mail, and per reader and category those
// that became sendable and were neither in a mail nor counted in one. Every received mail is checked against it.
//
// The model knows nothing of watermarks' use, of fragments or of how counting is done; of an edition it takes the cut-off and when
// it was frozen, and notes for itself what was sendable then.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { Db } from '../../src/db/connect.ts'
import { type Delivery, type Edition, frequencyBits } from '../../src/db/schema.ts'

const eligibleMs = 45 * 86_400_000

/** As a reader's program shows it. */
export interface SeenMail {
  stories: number[]
  /** Of all its categories; null: the mail doesn't tell. */
  waiting: number | null
}

interface Frozen {
  edition: Edition
  /** `${category} ${story}`: what was sendable, and its seq then. */
  seqs: Map<string, number>
  /** Retired when its stories were last made ready: offered again since, their stories wait for the next edition. */
  without: Set<number>
  /** Changes when they are made again. */
  version: string
}

export class ReadingModel {
  readonly #db: Db
  readonly #minimum: number
  readonly #had = new Map<number, Set<number>>()
  readonly #pending = new Map<string, Set<number>>()
  readonly #frozen = new Map<number, Frozen>()
  readonly #sendableAt = new Map<number, Date>()
  #sendable = new Map<string, Set<number>>()

  constructor(db: Db, options: { minimum: number }) {
    this.#db = db
    this.#minimum = options.minimum
  }

  /** Everything there is, is new to a new reader. */
  addReader(reader: number): void {
    this.#had.set(reader, new Set())
    for (const [category, stories] of this.#sendable) this.#pending.set(`${reader} ${category}`, new Set(stories))
  }

  forgetReader(reader: number): void {
    this.#had.delete(reader)
  }

  addCategory(category: number): void {
    this.#sendable.set(String(category), new Set())
    for (const reader of this.#had.keys()) this.#pending.set(`${reader} ${category}`, new Set())
  }

  becomesSendable(story: number, categories: readonly number[], sendableAt: Date): void {
    this.#sendableAt.set(story, sendableAt)
    for (const category of categories) {
      this.#sendable.get(String(category))!.add(story)
      for (const reader of this.#had.keys()) this.#pending.get(`${reader} ${category}`)!.add(story)
    }
  }

  isStopped(story: number): void {
    for (const set of [...this.#sendable.values(), ...this.#pending.values()]) set.delete(story)
  }

  /** After each tick, and when an editor has arranged one: what the editions that it froze could hold. */
  async noteFrozen(): Promise<void> {
    const editions = await this.#db.selectFrom('editions').selectAll().where('cutoffSeq', 'is not', null).execute()
    if (editions.some(({ id }) => !this.#frozen.has(id))) {
      const rows = await sql<{ key: string; seq: number }>`
        select ac.category_id || ' ' || ac.article_id as key, ac.seq from article_categories ac
        join articles a on a.id = ac.article_id join categories c on c.id = ac.category_id
        where ac.seq is not null and a.held_at is null and a.withdrawn_at is null and c.retired_at is null`.execute(
        this.#db,
      )
      for (const edition of editions)
        if (!this.#frozen.has(edition.id))
          this.#frozen.set(edition.id, {
            edition,
            seqs: new Map(rows.rows.flatMap(({ key, seq }) => (seq <= edition.cutoffSeq! ? [[key, seq]] : []))),
            without: new Set(),
            version: '',
          })
    }
    const made = await sql<{ editionId: number; version: string }>`
      select edition_id as "editionId", xmin::text as version from edition_snapshots`.execute(this.#db)
    const retired = await this.#db.selectFrom('categories').select('id').where('retiredAt', 'is not', null).execute()
    for (const { editionId, version } of made.rows) {
      const frozen = this.#frozen.get(editionId)
      if (!frozen || frozen.version === version) continue
      frozen.version = version
      frozen.without = new Set(retired.map(({ id }) => id))
    }
  }

  /** Settles a digest in the model: `mail` null when there is none to look at (lost on the way, its stories count as seen). */
  async delivered(delivery: Delivery, mail: SeenMail | null): Promise<void> {
    const reader = delivery.subscriberId!
    const stories = mail?.stories ?? delivery.articleIds!
    const had = this.#had.get(reader)!
    assert.equal(new Set(stories).size, stories.length, 'a story twice in one mail')
    for (const story of stories) assert.ok(!had.has(story), `reader ${reader} got story ${story} twice`)
    const { marks } = await this.#reading(reader)
    const due = await this.#dueStories(delivery)
    for (const story of stories)
      assert.ok(
        due.some(({ fresh }) => fresh.has(story)),
        `story ${story} wasn't due for reader ${reader}`,
      )
    for (const story of stories) had.add(story)
    const accounted = new Set<number>()
    for (const { category, fresh, cutoff } of due) {
      const unsent = [...fresh].filter((story) => !had.has(story))
      if ((marks[category] ?? 0) < cutoff) {
        assert.ok(unsent.length < this.#minimum, `category ${category} was due for reader ${reader} and not covered`)
        continue
      }
      for (const story of unsent) accounted.add(story)
      await this.#pass(reader, category, delivery.editionId!)
    }
    if (mail && mail.waiting !== null)
      assert.equal(mail.waiting, accounted.size, `reader ${reader}: what waits isn't what is counted`)
  }

  /** No mail, as there was nothing new. Stories without fragments alone make no mail; they wait for the next. */
  async hadNothing(delivery: Delivery): Promise<void> {
    const had = this.#had.get(delivery.subscriberId!)!
    const shown = await this.#db
      .selectFrom('editionArticles')
      .select(sql<string>`category_id || ' ' || article_id`.as('key'))
      .where('editionId', '=', delivery.editionId)
      .where('isDropped', '=', false)
      .execute()
    const able = new Set(shown.map(({ key }) => key))
    for (const { category, fresh } of await this.#dueStories(delivery)) {
      const missed = [...fresh].filter((story) => !had.has(story) && able.has(`${category} ${story}`))
      assert.ok(missed.length < this.#minimum, `reader ${delivery.subscriberId} missed ${missed.join()}`)
    }
  }

  /** What a reader was never sent and never told of, of the categories that the reader has. */
  async left(reader: number, now: Date): Promise<number[]> {
    const chosen = await this.#chosen(reader)
    return chosen.flatMap(({ categoryId, retiredAt }) =>
      retiredAt
        ? []
        : [...this.#pending.get(`${reader} ${categoryId}`)!].filter(
            (story) =>
              !this.#had.get(reader)!.has(story) && now.getTime() - this.#sendableAt.get(story)!.getTime() < eligibleMs,
          ),
    )
  }

  async #dueStories(delivery: Delivery) {
    const { edition, seqs, without } = this.#frozen.get(delivery.editionId!)!
    const dropped = await this.#dropped(edition.id)
    const found: { category: number; fresh: Set<number>; cutoff: number }[] = []
    for (const { categoryId: category, frequency } of await this.#chosen(delivery.subscriberId!)) {
      if (!(frequencyBits[frequency] & delivery.due)) continue
      if (without.has(category)) continue
      if (edition.categoryIds && !edition.categoryIds.includes(category)) continue
      const pending = this.#pending.get(`${delivery.subscriberId} ${category}`)!
      const fresh = [...pending].filter(
        (story) =>
          seqs.has(`${category} ${story}`) &&
          !dropped.has(`${category} ${story}`) &&
          edition.createdAt.getTime() - this.#sendableAt.get(story)!.getTime() < eligibleMs,
      )
      // In an edition without any story of a category nothing of it is covered.
      const isIn = [...seqs.keys()].some((key) => key.startsWith(`${category} `))
      if (isIn) found.push({ category, fresh: new Set(fresh), cutoff: fresh.length ? edition.cutoffSeq! : 0 })
    }
    return found
  }

  /** Sent, counted, or dropped by an editor: no longer pending, unless it has come anew since the edition was frozen. */
  async #pass(reader: number, category: number, editionId: number): Promise<void> {
    const { edition, seqs } = this.#frozen.get(editionId)!
    const rows = await this.#db
      .selectFrom('articleCategories')
      .select(['articleId', 'seq'])
      .where('categoryId', '=', category)
      .where('seq', '>', edition.cutoffSeq!)
      .execute()
    const anew = new Set(rows.map(({ articleId }) => articleId))
    const pending = this.#pending.get(`${reader} ${category}`)!
    for (const story of pending) if (seqs.has(`${category} ${story}`) && !anew.has(story)) pending.delete(story)
  }

  async #dropped(editionId: number): Promise<Set<string>> {
    const rows = await this.#db
      .selectFrom('editionArticles')
      .select(sql<string>`category_id || ' ' || article_id`.as('key'))
      .where('editionId', '=', editionId)
      .where('isDropped', '=', true)
      .execute()
    return new Set(rows.map(({ key }) => key))
  }

  #chosen(reader: number) {
    return this.#db
      .selectFrom('subscriptions')
      .innerJoin('categories', 'categories.id', 'subscriptions.categoryId')
      .select(['categoryId', 'frequency', 'retiredAt'])
      .where('subscriberId', '=', reader)
      .execute()
  }

  async #reading(reader: number): Promise<{ marks: Record<string, number> }> {
    const row = await this.#db
      .selectFrom('reading')
      .select('watermarks')
      .where('subscriberId', '=', reader)
      .executeTakeFirst()
    return { marks: row?.watermarks ?? {} }
  }
}
