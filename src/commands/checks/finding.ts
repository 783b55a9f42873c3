/** One line of `doctor`. */
export interface Finding {
  what: string
  state: 'ok' | 'warn' | 'fail'
  found: string
  /** What to do; absent when all is well. */
  fix?: string
  /** What was said, line by line. */
  quote?: readonly string[]
}
