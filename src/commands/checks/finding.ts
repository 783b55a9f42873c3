/** One line of `doctor`. */
export interface Finding {
  what: string
  state: 'ok' | 'warn' | 'fail'
  found: string
  /** How to fix it; absent if there is nothing to fix. */
  fix?: string
  /** The dialogue, line by line. */
  quote?: readonly string[]
}
