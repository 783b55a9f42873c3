// What an API key may do. `all` allows everything, `read` every GET. Each of the others allows only what it names: a key that
// pushes articles can't read addresses. A key has one or several scopes, separated by commas.

import { invalid } from '../base/errors.ts'

export const scopes = ['all', 'read', 'articles', 'subscribers', 'editions'] as const
export type Scope = (typeof scopes)[number]

/** Checks and normalises input: `read, articles` → `read,articles`. */
export function parseScopes(text: string): string {
  const given = text.split(/[\s,]+/).filter(Boolean)
  const unknown = given.find((scope) => !(scopes as readonly string[]).includes(scope))
  if (unknown !== undefined || given.length === 0)
    throw invalid('scope', `${unknown ?? 'Nothing'} is no scope. Scopes are ${scopes.join(', ')}.`)
  return given.includes('all') ? 'all' : [...new Set(given)].join(',')
}

/** Whether a key with the scopes `held` may call an endpoint that needs `needed`. Pure. */
export function allows(held: string, needed: Scope, method: string): boolean {
  const list = held.split(',')
  return list.includes('all') || list.includes(needed) || (list.includes('read') && /^(get|head)$/i.test(method))
}
