// Whether an error means that the database can't work at the moment, rather than that it was asked the wrong thing.

/** SQLSTATE classes and codes (PostgreSQL, appendix A): no connection, out of disk or memory or places, shutting down or starting,
 * its own files failing, a standby that takes no writes. Not 08P01, which says that we spoke wrongly. */
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
/** A socket's: `ENOENT` is a missing file's code as well. */
const socketCalls = new Set(['connect', 'read', 'write', 'getaddrinfo'])

/** What pg and its pool say without a code. */
const words =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/

/** For errors that a statement, a transaction or the pool threw. Whatever was not answered may have been done all the same. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code, syscall, message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] }
  // A host with several addresses: all of them were tried.
  if (Array.isArray(errors) && errors.length) return errors.every(isOutage)
  if (code !== undefined) return states.test(code) || (socketCodes.has(code) && socketCalls.has(syscall ?? ''))
  return words.test(message)
}
