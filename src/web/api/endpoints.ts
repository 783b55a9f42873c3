// Every endpoint of /api/v1, in the order in which the documentation shows them.

import type { Endpoint } from '../endpoint.ts'
import { auditEndpoints } from './audit.ts'

export const endpoints: readonly Endpoint[] = [...auditEndpoints]
