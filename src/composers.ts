// Which composer builds which kind of mail: delivery/ gets this table and knows nothing else about the mails that it sends.

import type { Context } from './db/context.ts'
import type { Composers } from './delivery/composer.ts'
import { announcementComposer } from './digests/announce.ts'
import { digestComposer } from './digests/compose.ts'
import { testComposer } from './digests/preview.ts'
import { transactionalComposers } from './mails/transactional.ts'

export function composersOf(ctx: Context): Composers {
  return {
    ...transactionalComposers(ctx),
    digest: digestComposer(ctx),
    announcement: announcementComposer(ctx),
    test: testComposer(ctx),
  }
}
