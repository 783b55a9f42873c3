// The thread behind parser.ts.

import { answerJobs } from '../base/parser-thread.ts'
import { runJob } from './parse-jobs.ts'

answerJobs(runJob)
