// A command's output. Results go to stdout (`print`), everything else to stderr. Progress is one line that is rewritten, and only
// on a terminal, so a pipe or a log never contains it.

export interface Out {
  /** A line of the result. Throws OutputClosed when the reader has closed the pipe, so that the command ends. */
  print(line: string): void
  /** Replaces the progress line; an empty text clears it. No effect without a terminal. */
  progress(text: string): void
  /** A line for people: an error, or a note about the result. */
  error(line: string): void
  /** Whether a person watches: progress is shown. */
  isTty: boolean
  /** Resolves when the reader has caught up. Await it regularly in a command with much output. */
  flush?(): Promise<void>
}

/** The reader has closed the pipe, as after `… | head`. Not a failure. */
export class OutputClosed extends Error {
  override name = 'OutputClosed'
}

/** The methods of a stream that `Out` needs. `write` returns false if the caller should wait with `drained`. */
export interface Sink {
  write(text: string): boolean
  drained(): Promise<void>
  isTty: boolean
  columns: number
  isClosed: boolean
}

export function createOut(stdout: Sink, stderr: Sink): Out {
  let shown = false
  let isFull = false
  const clear = () => {
    if (shown) stderr.write('\r\x1b[2K')
    shown = false
  }
  return {
    isTty: stderr.isTty,
    print(line) {
      if (stdout.isClosed) throw new OutputClosed()
      clear()
      isFull = !stdout.write(`${line}\n`)
    },
    error(line) {
      clear()
      stderr.write(`${line}\n`)
    },
    progress(text) {
      if (!stderr.isTty) return
      clear()
      if (!text) return
      stderr.write(text.slice(0, stderr.columns - 1))
      shown = true
    },
    async flush() {
      if (stdout.isClosed) throw new OutputClosed()
      if (isFull) await stdout.drained()
      isFull = false
    },
  }
}

/**
 * One of the process's own streams. A broken pipe closes it, and isn't an error. After a stop, a reader who doesn't read isn't
 * waited for.
 */
export function processSink(stream: NodeJS.WriteStream, stopping: AbortSignal): Sink {
  const sink: Sink = {
    write: (text) => sink.isClosed || stream.write(text),
    drained: () =>
      new Promise((resolve) => {
        if (sink.isClosed || stopping.aborted || !stream.writableNeedDrain) return resolve()
        stopping.addEventListener('abort', () => resolve(), { once: true })
        stream.once('drain', resolve)
        stream.once('close', resolve)
      }),
    isTty: stream.isTTY ?? false,
    columns: stream.columns ?? 80,
    isClosed: false,
  }
  stream.on('error', () => (sink.isClosed = true))
  return sink
}
