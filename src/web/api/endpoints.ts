// Every endpoint of /api/v1, in the order of the documentation.

import type { Endpoint } from '../endpoint.ts'
import { articleEndpoints } from './articles.ts'
import { auditEndpoints } from './audit.ts'
import { brakeEndpoints } from './brakes.ts'
import { categoryEndpoints } from './categories.ts'
import { defaultChoiceEndpoints } from './default-choice.ts'
import { editionEndpoints } from './editions.ts'
import { feedSourceEndpoints } from './feed-sources.ts'
import { feedEndpoints } from './feeds.ts'
import { siteTextEndpoints } from './site-texts.ts'
import { subscriberEndpoints } from './subscribers.ts'
import { importEndpoints } from './imports.ts'
import { inboundEndpoints } from './inbound.ts'
import { sendingEndpoints } from './sending.ts'
import { suppressionEndpoints } from './suppressions.ts'
import { unsubscribeEndpoints } from './unsubscribes.ts'

export const endpoints: readonly Endpoint[] = [
  ...editionEndpoints,
  ...subscriberEndpoints,
  ...importEndpoints,
  ...unsubscribeEndpoints,
  ...categoryEndpoints,
  ...defaultChoiceEndpoints,
  ...siteTextEndpoints,
  ...feedEndpoints,
  ...feedSourceEndpoints,
  ...articleEndpoints,
  ...brakeEndpoints,
  ...sendingEndpoints,
  ...inboundEndpoints,
  ...suppressionEndpoints,
  ...auditEndpoints,
]
