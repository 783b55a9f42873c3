import { type Kysely, sql } from 'kysely'

/**
 * `/archive/2024` is edition 2024 and `/archive/feed.xml` the feed of all categories, so a slug contains a letter and isn't `feed`.
 * Others are renamed, with what names categories by slug: open sign-ups and the default choice.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ id: number; slug: string }>`select id, slug from categories order by id`.execute(db)
  const taken = new Set(rows.map(({ slug }) => slug))
  for (const { id, slug } of rows) {
    if (/[a-z]/.test(slug) && slug !== 'feed') continue
    const base = slug === 'feed' ? 'feed' : `c-${slug}`.slice(0, 56).replace(/-+$/, '')
    let renamed = slug === 'feed' ? 'feed-1' : base
    for (let n = 2; taken.has(renamed); n++) renamed = `${base}-${n}`
    taken.add(renamed)
    await sql`update categories set slug = ${renamed} where id = ${id}`.execute(db)
    await sql`update signup_requests set choices = choices - ${slug}::text || jsonb_build_object(${renamed}::text, choices -> ${slug}::text)
      where jsonb_exists(choices, ${slug}::text)`.execute(db)
    await sql`update settings set value = value - ${slug}::text || jsonb_build_object(${renamed}::text, value -> ${slug}::text)
      where key = 'default_choice' and jsonb_typeof(value) = 'object' and jsonb_exists(value, ${slug}::text)`.execute(
      db,
    )
  }
  await sql`alter table categories add constraint categories_slug check (slug ~ '[a-z]' and slug <> 'feed')`.execute(db)
}
