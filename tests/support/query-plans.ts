// Every statement that goes to Postgres while `record` runs, and what Postgres would do for each.

import pg from 'pg'

export interface Statement {
  text: string
  values: unknown[]
}

/** The statements of this process, one of each text, without those of the queue of chores. */
export async function record(run: () => Promise<void>): Promise<Statement[]> {
  const statements = new Map<string, Statement>()
  // oxlint-disable-next-line typescript/unbound-method
  const original = pg.Client.prototype.query
  pg.Client.prototype.query = function query(this: pg.Client, ...args: unknown[]) {
    const [config, values] = args as [string | { text: string; values?: unknown[] }, unknown[] | undefined]
    const text = typeof config === 'string' ? config : config.text
    const given = typeof config === 'string' ? values : (config.values ?? values)
    if (/^\s*(with|select|insert|update|delete)\b/i.test(text) && !text.includes('pgboss.'))
      statements.set(text, { text, values: Array.isArray(given) ? given : [] })
    return (original as (...all: unknown[]) => unknown).apply(this, args)
  } as typeof original
  try {
    await run()
  } finally {
    pg.Client.prototype.query = original
  }
  return [...statements.values()]
}

/** The tables that its plan reads from one end to the other. */
export async function scannedTables(pool: pg.Pool, { text, values }: Statement): Promise<string[]> {
  const { rows } = await pool.query<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(`explain (format json) ${text}`, values)
  const tables: string[] = []
  const walk = (node: PlanNode) => {
    if (node['Node Type'] === 'Seq Scan') tables.push(node['Relation Name']!)
    node.Plans?.forEach(walk)
  }
  walk(rows[0]!['QUERY PLAN'][0]!.Plan)
  return [...new Set(tables)]
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  Plans?: PlanNode[]
}
