// Where a command's words go. Results go to stdout (`print`), everything else to stderr; progress is one line that is rewritten,
// and only on a terminal, so that a pipe or a log never sees it.

export interface Out {
  /** A line of the result. */
  print(line: string): void
  /** Replaces the line of progress; an empty text clears it. Nothing happens off a terminal. */
  progress(text: string): void
  /** A line for people: what went wrong, or a note beside the result. */
  error(line: string): void
  /** Whether someone watches: progress is shown. */
  isTty: boolean
}

interface Stream {
  write(text: string): unknown
  isTTY?: boolean | undefined
  columns?: number | undefined
}

/** `Out` on two streams, as a rule the process's own. */
export function streamOut(stdout: Stream, stderr: Stream): Out {
  const isTty = Boolean(stderr.isTTY)
  let shown = false
  const clear = () => {
    if (shown) stderr.write('\r\x1b[2K')
    shown = false
  }
  return {
    isTty,
    print: (line) => {
      clear()
      stdout.write(`${line}\n`)
    },
    error: (line) => {
      clear()
      stderr.write(`${line}\n`)
    },
    progress: (text) => {
      if (!isTty) return
      clear()
      if (!text) return
      stderr.write(text.slice(0, (stderr.columns ?? 80) - 1))
      shown = true
    },
  }
}
