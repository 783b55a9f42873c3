// Tells an outage of the database from a wrong query.

/**
 * SQLSTATE classes and codes (PostgreSQL, appendix A): no connection, out of disk, memory or connections, shutting down or
 * starting, errors of its own files, a standby that refuses writes. Not 08P01, which is an error of ours in the protocol.
 */
const states = /^(?:08(?!P01)|53|58)...$|^57P0[1-5]$|^25006$/

const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
])
/** Calls of a socket: `ENOENT` is also the code of a missing file. */
const socketCalls = new Set(['connect', 'read', 'write', 'getaddrinfo'])

/** What pg and its pool say without a code. */
const words =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/

/** For errors that a statement, a transaction or the pool threw. A statement without an answer may have been carried out. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, syscall, message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] }
  // A host with several addresses: all of them were tried.
  if (Array.isArray(errors) && errors.length) return errors.every(isOutage)
  if (code !== undefined) return states.test(code) || (socketCodes.has(code) && socketCalls.has(syscall ?? ''))
  return words.test(message)
}
