// The thread behind reader.ts.

import { answerJobs } from '../base/parser-thread.ts'
import { readInbound } from './read.ts'
import type { ReadJob } from './reader.ts'

answerJobs(({ raw, own }: ReadJob) => readInbound(raw, own))
