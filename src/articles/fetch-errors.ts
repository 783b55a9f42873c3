// Why a fetch failed, in sentences, because editors and publishers don't know the error codes of libraries. Unknown errors get a
// general sentence, and their code is logged.

import { TooLarge } from './fetch-body.ts'

/** The address isn't allowed. The message is a sentence. */
export class Blocked extends Error {
  override name = 'Blocked'
}

const causes: readonly (readonly [codes: RegExp, sentence: string])[] = [
  [/^(ENOTFOUND|ENODATA|EAI_\w+|ESERVFAIL)$/, 'Its host name has no address.'],
  [/^ECONNREFUSED$/, 'Its server refuses the connection.'],
  [/^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_(SOCKET|CLOSED|DESTROYED|ABORTED))$/, 'The connection was cut.'],
  [/^(ETIMEDOUT|UND_ERR_\w*TIMEOUT)$/, 'It did not answer in time.'],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL|EAFNOSUPPORT)$/,
    'There is no way to its server from here.',
  ],
  [/^(EMFILE|ENFILE|ENOBUFS|ENOMEM)$/, 'This machine has no more connections to spare at the moment.'],
  [/^CERT_HAS_EXPIRED$/, 'Its certificate has expired.'],
  [/^CERT_NOT_YET_VALID$/, 'Its certificate is not valid yet.'],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, 'Its certificate is for another host name.'],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN)$/,
    'It signed its certificate itself, so nobody vouches for it.',
  ],
  [
    /^(UNABLE_TO_\w+|CERT_UNTRUSTED|INVALID_CA)$/,
    'Its certificate comes from somebody whom we don’t know, or the certificates between are missing.',
  ],
  [/^CERT_REVOKED$/, 'Its certificate was revoked.'],
  [
    /^(CERT_\w+|CRL_\w+|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED|INVALID_PURPOSE|ERROR_IN_CERT_\w+)$/,
    'Its certificate is not valid.',
  ],
  [
    /^(EPROTO|ERR_SSL_\w+|ERR_TLS_\w+)$/,
    'No secure connection came about: its server speaks another version, or no TLS at all.',
  ],
  [/^(UND_ERR_HEADERS_OVERFLOW|HPE_HEADER_OVERFLOW)$/, 'The headers of its answer are too long.'],
  [/^UND_ERR_\w*CONTENT_LENGTH_MISMATCH$/, 'It sent more or less than it announced.'],
  [/^(HPE_\w+|UND_ERR_\w*PARSER\w*|UND_ERR_INVALID_\w+)$/, 'What it answered is not HTTP.'],
  [
    /^(Z_\w+|ERR__ERROR_\w+|ERR_BROTLI_\w+|ERR_PADDING_\w+|ZSTD_\w+|ERR_ZSTD\w*)$/,
    'What it sent compressed is damaged.',
  ],
]

export function inWords(error: unknown): string {
  if (error instanceof TooLarge) return 'It is larger than 10 MB.'
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Blocked) return at.message
  const code = codeOf(error)
  return causes.find(([codes]) => code !== undefined && codes.test(code))?.[1] ?? 'It could not be fetched.'
}

/** The code of the error or of its cause. */
export function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code, name } = at as NodeJS.ErrnoException
    if (typeof code === 'string') return code
    // For an AggregateError, one per address that was tried. undici's HTTPParserError is the only error without a code if its
    // parser gives none.
    if (name === 'HTTPParserError') return 'HPE_UNKNOWN'
    if (at instanceof AggregateError) return codeOf(at.errors[0])
  }
  return undefined
}
