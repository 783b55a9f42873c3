// Who can be mailed at this moment, as SQL, for counts, buttons and second tries. A worker checks the same in the statement that
// puts a mail on the wire.

import { sql } from 'kysely'

/** On `subscribers s`: active, not paused, not on the suppression list. */
export const isMailable = sql<boolean>`(s.status = 'active' and (s.paused_until is null or s.paused_until <= now())
  and not exists (select from suppressions p where p.email_hash = s.email_hash))`
