// Claimed digests become mails. Per batch: one statement for its readers, one per edition for what was withdrawn or held since the
// snapshot was made; the snapshot itself is read and decoded once per worker.
//
// A delivery that may have arrived before (articleIds set) carries the same stories again, less what has been withdrawn.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { EditionKind } from '../db/schema.ts'
import type { ClaimedDelivery, Composed, Composer } from '../delivery/composer.ts'
import { loadTemplate } from '../mails/templates.ts'
import { messagesFor, nearestLanguage } from '../messages/messages.ts'
import { holderFor } from '../subscribers/links.ts'
import { openFrame, type Frame } from './frame.ts'
import type { SpliceSelection } from './layout.ts'
import { selectStories, type ReaderState } from './selection.ts'
import { type Snapshot, snapshotVersion } from './render.ts'
import { makeSnapshot } from './snapshot.ts'
import { spliceDigest } from './splice.ts'
import type { EditionCategory } from './waiting.ts'

/** Stories of "You may also like". */
export const alsoLike = 3
/** Editions that a worker keeps decoded: as a rule one is sent at a time. */
const framesKept = 4

export interface OpenEdition {
  frame: Frame
  /** Manual editions: only these; null: all. */
  onlyCategories: readonly number[] | null
  /** Its stories that were withdrawn or held after the snapshot was made. */
  stopped: ReadonlySet<number>
}

export interface Reader extends ReaderState {
  id: number
  generation: number
  /** null: nobody's. */
  email: string | null
  timezone: string | null
  locale: string | null
}

export function digestComposer(ctx: Context): Composer {
  const editions = editionLoader(ctx)
  return {
    async prepare(deliveries) {
      const now = ctx.clock.now()
      const readers = await listReaders(
        ctx.db,
        deliveries.map(({ subscriberId }) => subscriberId).filter((id) => id !== null),
      )
      const locales = new Set([...readers.values()].map(({ locale }) => locale))
      const open = new Map<number, OpenEdition>()
      for (const id of new Set(deliveries.map(({ editionId }) => editionId!))) open.set(id, await editions(id, locales))
      return (delivery) => {
        const reader = readers.get(delivery.subscriberId ?? 0)
        // Erased since it was planned.
        if (!reader) return { outcome: 'skip', reason: 'unsubscribed' }
        return composeDigest(ctx, open.get(delivery.editionId!)!, reader, delivery, now)
      }
    },
  }
}

/** One mail out of an open edition. Touches no database. */
export function composeDigest(
  ctx: Pick<Context, 'config'>,
  edition: OpenEdition,
  reader: Reader,
  delivery: Pick<ClaimedDelivery, 'recipient' | 'due' | 'articleIds'>,
  now: Date,
): Composed {
  const frame = edition.frame.inLanguage(reader.locale)
  const { stories, minimum } = ctx.config.digest
  const rules = { stories, minimum, alsoLike, onlyCategories: edition.onlyCategories }
  const selection = delivery.articleIds
    ? sameAgain(edition, reader, delivery.articleIds)
    : selectStories(frame.edition, reader, delivery.due, rules, edition.stopped)
  if (!selection) {
    const hadStories =
      delivery.articleIds ?? (edition.stopped.size > 0 && selectStories(frame.edition, reader, delivery.due, rules))
    return { outcome: 'skip', reason: hadStories ? 'withdrawn' : 'nothing_new' }
  }
  const { timezone, subscriptions } = reader
  const { recipient, due } = delivery
  return {
    outcome: 'mail',
    ...spliceDigest(
      frame,
      selection,
      { holder: holderFor(reader, recipient), recipient, timezone, subscriptions },
      due,
      now,
    ),
  }
}

/** The stories of an earlier attempt in the order of its record, which is the order of that mail. */
function sameAgain(edition: OpenEdition, reader: Reader, articleIds: readonly number[]): SpliceSelection | null {
  const ids = articleIds.filter((id) => edition.frame.stories.has(id) && !edition.stopped.has(id))
  if (ids.length === 0) return null
  const own = [...reader.subscriptions]
    .sort((a, b) => a.position - b.position)
    .map(({ categoryId }) => edition.frame.edition.categories.get(categoryId))
    .filter((category) => category !== undefined)
  const inOrder: EditionCategory[] = [...own, ...edition.frame.edition.categories.values()]
  const sections = new Map<number, number[]>()
  for (const id of ids) {
    const category = inOrder.find(({ stories }) => stories.some(({ articleId }) => articleId === id))
    if (!category) continue
    const section = sections.get(category.id)
    if (section) section.push(id)
    else sections.set(category.id, [id])
  }
  return {
    sections: [...sections].map(([categoryId, articleIds]) => ({
      categoryId,
      articleIds,
      waiting: edition.frame.edition.categories.get(categoryId)!.ids.length > articleIds.length ? null : 0,
    })),
    alsoLike: [],
    // They moved when it became uncertain; by now a later digest may have moved them on.
    watermarks: {},
  }
}

/** Opens editions by id: decoded once, checked for withdrawn stories each time. A snapshot of an older version of this program is
 * rendered again, and so is one that lacks a language of `locales`, once. One of a newer version is refused: its deliveries are
 * deferred, and a worker of that version takes them. */
export function editionLoader(
  ctx: Context,
): (editionId: number, locales?: Iterable<string | null>) => Promise<OpenEdition> {
  interface Kept {
    frame: Frame
    madeAt: number
    onlyCategories: number[] | null
    /** For which it was rendered again: workers whose languages differ don't do so in turns. */
    added: Set<string>
  }
  const kept = new Map<number, Kept>()
  const open = async (editionId: number, row: EditionRow, added: Set<string>): Promise<Kept> => {
    let snapshot = await readSnapshot(ctx.db, editionId)
    let current = row
    if (snapshot.version < snapshotVersion) {
      await makeSnapshot(ctx, editionId)
      current = await readEdition(ctx, editionId)
      snapshot = await readSnapshot(ctx.db, editionId)
    }
    if (snapshot.version !== snapshotVersion)
      throw new Error(
        `edition ${editionId} was rendered by a newer version of this program, whose workers send it: update this one`,
      )
    const template = await loadTemplate('digest', ctx.config.site)
    const frame = openFrame(ctx.config, template, snapshot, { id: editionId, ...current })
    const opened = { frame, madeAt: current.madeAt.getTime(), onlyCategories: current.categoryIds, added }
    if (kept.size >= framesKept) kept.delete(kept.keys().next().value!)
    kept.set(editionId, opened)
    return opened
  }
  return async (editionId, locales = []) => {
    const row = await readEdition(ctx, editionId)
    let opened = kept.get(editionId)
    if (opened?.madeAt !== row.madeAt.getTime()) opened = await open(editionId, row, opened?.added ?? new Set())
    const { frame, added } = opened
    const lacking = lackingLanguages(ctx, frame, locales).filter((language) => !added.has(language))
    if (lacking.length > 0) {
      for (const language of lacking) added.add(language)
      await makeSnapshot(ctx, editionId, [...added])
      opened = await open(editionId, await readEdition(ctx, editionId), added)
    }
    return { ...opened, stopped: await listStopped(ctx.db, opened.frame) }
  }
}

/** Readers may have chosen them since the snapshot was made. */
function lackingLanguages({ config }: Context, { languages }: Frame, locales: Iterable<string | null>): string[] {
  const lacking = new Set<string>()
  for (const locale of locales)
    if (locale !== null && nearestLanguage(languages, locale) === null)
      lacking.add(messagesFor(config, locale).language)
  return [...lacking].filter((language) => !languages.includes(language))
}

async function readSnapshot(db: Db, editionId: number): Promise<Snapshot> {
  const { snapshot } = await db
    .selectFrom('editionSnapshots')
    .select('snapshot')
    .where('editionId', '=', editionId)
    .executeTakeFirstOrThrow()
  return snapshot as Snapshot
}

interface EditionRow {
  kind: EditionKind
  cutoffSeq: number
  at: Date
  categoryIds: number[] | null
  madeAt: Date
}

/** Makes the snapshot again where it has been purged: what failed long ago is sent again, or looked at. */
async function readEdition(ctx: Context, editionId: number): Promise<EditionRow> {
  const read = () =>
    ctx.db
      .selectFrom('editions as edition')
      .leftJoin('editionSnapshots as snapshot', 'snapshot.editionId', 'edition.id')
      .select(['edition.kind', 'edition.cutoffSeq', 'edition.slotAt', 'edition.createdAt', 'edition.categoryIds'])
      .select('snapshot.madeAt')
      .where('edition.id', '=', editionId)
      .executeTakeFirstOrThrow()
  let row = await read()
  if (!row.madeAt) {
    await makeSnapshot(ctx, editionId)
    row = await read()
  }
  return { ...row, cutoffSeq: row.cutoffSeq ?? 0, at: row.slotAt ?? row.createdAt, madeAt: row.madeAt! }
}

/** An index-only look at a small partial index (articles_stopped), whatever the archive's size. */
async function listStopped(db: Db, { articleIds, edition }: Frame): Promise<Set<number>> {
  if (!articleIds) return new Set()
  const [least, most] = articleIds
  const { rows } = await sql<{ id: number }>`
    select id from articles
    where id between ${least} and ${most} and (withdrawn_at is not null or held_at is not null or sendable_at is null)`.execute(
    db,
  )
  return new Set(rows.map(({ id }) => id).filter((id) => edition.places.has(id)))
}

/** Everything about a batch of readers, by key lookups alone. `seen` comes as text: pg's own array parser takes longer than the
 * rest of the mail. */
export async function listReaders(db: Db, subscriberIds: readonly number[]): Promise<Map<number, Reader>> {
  const { rows } = await sql<{
    id: number
    email: string
    generation: number
    timezone: string | null
    locale: string | null
    watermarks: Record<string, number> | null
    seen: string | null
    subscriptions: Reader['subscriptions'] | null
  }>`
    select subscriber.id, subscriber.email, subscriber.generation, subscriber.timezone, subscriber.locale, reading.watermarks, reading.seen::text as seen, (
      select json_agg(json_build_object('categoryId', category_id, 'frequency', frequency, 'position', position)
        order by position, category_id)
      from subscriptions where subscriber_id = subscriber.id) as subscriptions
    from subscribers subscriber
    left join reading on reading.subscriber_id = subscriber.id
    where subscriber.id = any(${[...subscriberIds]}::bigint[])`.execute(db)
  return new Map(
    rows.map(({ watermarks, seen, subscriptions, ...row }) => [
      row.id,
      { ...row, watermarks: watermarks ?? {}, seen: parseIds(seen), subscriptions: subscriptions ?? [] },
    ]),
  )
}

/** `{1,2,3}` */
function parseIds(text: string | null): number[] {
  return text && text !== '{}' ? text.slice(1, -1).split(',').map(Number) : []
}
