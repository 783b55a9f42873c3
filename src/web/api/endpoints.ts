// Every endpoint of /api/v1, in the order in which the documentation shows them.

import type { Endpoint } from '../endpoint.ts'
import { auditEndpoints } from './audit.ts'
import { editionEndpoints } from './editions.ts'
import { subscriberEndpoints } from './subscribers.ts'
import { suppressionEndpoints } from './suppressions.ts'

export const endpoints: readonly Endpoint[] = [
  ...editionEndpoints,
  ...subscriberEndpoints,
  ...suppressionEndpoints,
  ...auditEndpoints,
]
