// Typing errors in common domains: `gmial.com` is most probably gmail.com. This is a guess, so it is shown to the reader and never
// applied. It depends on the text alone, so it doesn't reveal who is subscribed.

import { run } from '@zootools/email-spell-checker'
import { domainOf } from './email-address.ts'

/** Corrections are offered to these. No short names: too many real domains are two letters away from aol.com or web.de. */
const corrections = [
  'gmail.com',
  'googlemail.com',
  'hotmail.com',
  'hotmail.co.uk',
  'outlook.com',
  'yahoo.com',
  'yahoo.co.uk',
  'icloud.com',
  'rocketmail.com',
  'protonmail.com',
  'fastmail.com',
  't-online.de',
  'freenet.de',
  'wanadoo.fr',
  'laposte.net',
  'comcast.net',
  'verizon.net',
  'btinternet.com',
]

/**
 * Domains that look like typing errors and aren't: mail.com has many names, and large providers have one per country. But `.co`,
 * `.cm` and `.om` after such a name are `.com` with a letter missing.
 */
const genuine =
  /^(?:(?:e|y)?mail\.com|(?:gmail|hotmail|outlook|yahoo|wanadoo|fastmail)\.(?:com?\.)?(?!c[om]$|om$)[a-z]{2})$/

/** The domain that was most probably meant; undefined: the domain looks right. Pure. */
export function meantDomain(email: string): string | undefined {
  const domain = domainOf(email)
  if (genuine.test(domain)) return undefined
  // The library also corrects the ends of unknown domains, and turns ox.ac.uk into ox.co.uk. Empty lists prevent that.
  const guess = run({ email: `x@${domain}`, domains: corrections, secondLevelDomains: [], topLevelDomains: [] })
  return guess?.domain
}
