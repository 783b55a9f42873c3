// Previews of mails for the console and the API: of the next digest, of an edition, or of an announcement.

import { Refusal } from '../../base/errors.ts'
import { findEdition } from '../../editions/store.ts'
import {
  checkView,
  type DigestView,
  type Preview,
  previewAnnouncement,
  previewDigest,
  type TestView,
} from '../../digests/preview.ts'
import type { WebContext } from '../web-context.ts'

/** null: no new story for this subscriber or in these categories. */
export async function previewOf(web: WebContext, view: DigestView): Promise<Preview | null> {
  const test = await testViewOf(web, view)
  return 'announcement' in test ? previewAnnouncement(web, test.announcement) : previewDigest(web, test)
}

/** The same for a test mail. Refuses unknown ids, and an edition whose stories aren't frozen yet. */
export async function testViewOf(web: WebContext, view: DigestView): Promise<TestView> {
  if (view.subscriberId && view.categories?.length)
    throw new Refusal('conflict', 'Preview as a subscriber or for chosen categories, not both.', [
      { field: 'categories', message: 'not together with subscriber' },
    ])
  await checkView(web, view)
  if (!view.editionId) return view
  const edition = await findEdition(web.db, view.editionId)
  if (!edition) throw new Refusal('not_found', `There is no edition ${view.editionId}.`)
  if (edition.kind === 'announcement')
    return { announcement: { subject: edition.content.subject ?? '', body: edition.content.body ?? '' } }
  if (edition.cutoffSeq === null)
    throw new Refusal('conflict', `The stories of edition ${edition.id} aren't chosen yet. Preview the next digest.`)
  return view
}
