// Messages for the values of a few types: `say(frequencyWords[frequency])`.

import type { SiteLinkKey } from '../base/site-links.ts'
import type { Frequency } from '../db/schema.ts'
import type { Key } from './english.ts'

export const frequencyWords = {
  off: 'common.off',
  daily: 'common.daily',
  weekly: 'common.weekly',
  monthly: 'common.monthly',
} as const satisfies Record<Frequency | 'off', Key>

export const siteLinkWords = {
  about: 'common.about',
  contact: 'common.contact',
  privacy: 'common.privacy',
  terms: 'common.terms',
  disclaimer: 'common.disclaimer',
} as const satisfies Record<SiteLinkKey, Key>
