// A schema as lines of text, from the catalogs, so that two databases can be compared.

import { sql } from 'kysely'
import type { Db } from '../../src/db/connect.ts'

/** Tables, columns in their order, constraints, indexes and sequences of the schema `public`, one line each. */
export async function schemaOf(db: Db): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`
    select format('table %s %s', relname, reloptions) as line from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r'
    union all
    select format('column %s.%s %s %s null:%s default:%s identity:%s collation:%s storage:%s', c.relname, row_number() over w, a.attname,
      format_type(a.atttypid, a.atttypmod), not a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attcollation, a.attstorage)
      from pg_class c join pg_attribute a on a.attrelid = c.oid left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
      window w as (partition by c.oid order by a.attnum)
    union all
    select format('constraint %s.%s %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) from pg_constraint
      where connamespace = 'public'::regnamespace and contype <> 'n'
    union all
    select format('index %s', indexdef) from pg_indexes where schemaname = 'public'
    union all
    select format('sequence %s %s from %s by %s', sequencename, data_type, start_value, increment_by) from pg_sequences
      where schemaname = 'public'
    order by line`.execute(db)
  return rows.map((row) => row.line)
}
