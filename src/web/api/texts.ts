// The kinds of text in requests, with their patterns in the document.

/* oxlint-disable no-control-regex -- these patterns keep control characters out */

import { z } from 'zod'
import { longestSlug, slugPattern } from '../../articles/slugs.ts'
import { addressPattern } from '../../base/email-address.ts'

/** Counted in characters, as the document's maxLength is. A string's own length counts a surrogate pair as two. */
export const text = (most: number) =>
  z
    .string()
    .refine((given) => given.length <= most || [...given].length <= most, `has more than ${most} characters`)
    .meta({ maxLength: most })

/** No control characters, and not only spaces. */
export const line = (most: number) =>
  text(most).regex(/^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*$/, 'must be one line of text')

/** One line, which may be empty. */
export const shortLine = (most: number) =>
  text(most).regex(/^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$/, 'must be one line of text')

/** Not only white space. */
export const prose = (most: number) => text(most).regex(/^[^\x00]*[^\x00\s][^\x00]*$/, 'must not be empty')

export const categoryName = text(80).regex(
  /^[^\x00-\x1f\x7f<>]*[^\x00-\x1f\x7f<>\s][^\x00-\x1f\x7f<>]*$/,
  'must be one line of text without < or >',
)

export const slug = z.string().max(longestSlug).regex(slugPattern, 'is not a slug with a letter, such as world-news')

export const uniqueSlugs = (most: number) =>
  z
    .array(slug)
    .max(most)
    .refine((slugs) => new Set(slugs).size === slugs.length, 'names one twice')
    .meta({ uniqueItems: true })

/** The exact rules are in base/email-address.ts. */
export const emailAddress = z
  .string()
  .max(320)
  .regex(addressPattern, 'is not a complete e-mail address, such as name@example.com')

/** Empty: the site's. */
export const timeZone = z
  .string()
  .regex(/^([A-Za-z][A-Za-z0-9_+/-]{0,63})?$/, 'is not the name of a time zone, such as Europe/Berlin')

export const languageTag = z
  .string()
  .max(35)
  .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, 'is not a language tag, such as pt-BR')

/** Empty: the site's. */
export const language = z
  .string()
  .max(35)
  .regex(/^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$/, 'is not a language tag, such as pt-BR')

export const webAddress = (most: number) =>
  text(most).regex(
    /^[hH][tT]{2}[pP][sS]?:\/\/[^\x00-\x20\x7f/?#@]+([/?#][^\x00-\x20\x7f]*)?$/,
    'is not an http:// or https:// address',
  )

/** As webAddress, or as people copy addresses: with `feed:` in front, or spaces around it. */
export const feedAddress = text(2000).regex(
  /^\s*([fF][eE]{2}[dD]:(\/\/)?)?[hH][tT]{2}[pP][sS]?:\/\/[^\x00-\x20\x7f]+\s*$|^\s*[fF][eE]{2}[dD]:\/\/[^\x00-\x20\x7f]+\s*$/,
  'is not a web address',
)
