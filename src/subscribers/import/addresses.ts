// Addresses in lists, and warnings about them.

import { domainOf, type EmailAddress, parseEmailAddress } from '../../base/email-address.ts'

/**
 * `Ana <ana@x.example>`, `mailto:ana@x.example`, also with marks that word processors add. null: not exactly one address. Pure.
 */
export function addressIn(cell: string): EmailAddress | null {
  const clean = cell
    .replace(/[\u200B-\u200D\u2060\uFEFF\u00AD]/g, '')
    .replace(/\u00A0/g, ' ')
    .trim()
  const [, angled] = /^[^<>]*<([^<>]+)>[\s,;]*$/.exec(clean) ?? []
  const bare = (angled ?? clean)
    .replace(/^mailto:/i, '')
    .replace(/^[\s,;]+|[\s,;]+$/g, '')
    .replace(/^(["'])(.*)\1$/, '$2')
  return parseEmailAddress(unquoteFormula(bare))
}

/** Removes the quote that an export put before a cell that a spreadsheet would run. Pure. */
export function unquoteFormula(cell: string): string {
  return /^'[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(cell) ? cell.slice(1) : cell
}

/** All addresses of a line, and its other text. Pure. */
export function addressesIn(line: string): { addresses: string[]; rest: string } {
  const addresses: string[] = []
  const rest = line.replace(/[^\s<>"',;|()@]{1,64}@[^\s<>"',;|()@]{1,255}/g, (found) => {
    addresses.push(found)
    return ' '
  })
  return { addresses, rest: rest.replace(/mailto:/gi, ' ') }
}

const roles = new Set(
  `info office contact kontakt contacto admin administrator webmaster postmaster hostmaster abuse noreply no-reply donotreply sales
  support help service marketing press presse prensa redaktion newsletter news mail hello hi team billing accounts jobs hr
  root security privacy enquiries inquiries`.split(/\s+/),
)

/** An address that several people read: the consent of one isn't the consent of the others. Pure. */
export function isRole({ key }: EmailAddress): boolean {
  return roles.has(key.slice(0, key.lastIndexOf('@')).split('+')[0]!)
}

const slips: Record<string, string> = {
  'gmial.com': 'gmail.com',
  'gmai.com': 'gmail.com',
  'gmail.co': 'gmail.com',
  'gmail.cm': 'gmail.com',
  'gmail.con': 'gmail.com',
  'gmail.om': 'gmail.com',
  'gmal.com': 'gmail.com',
  'gamil.com': 'gmail.com',
  'gnail.com': 'gmail.com',
  'gmaill.com': 'gmail.com',
  'googlemail.co': 'googlemail.com',
  'hotmial.com': 'hotmail.com',
  'hotmai.com': 'hotmail.com',
  'hotmal.com': 'hotmail.com',
  'hotmail.co': 'hotmail.com',
  'hotmail.con': 'hotmail.com',
  'outlok.com': 'outlook.com',
  'outloo.com': 'outlook.com',
  'outlook.con': 'outlook.com',
  'yaho.com': 'yahoo.com',
  'yahooo.com': 'yahoo.com',
  'yahoo.co': 'yahoo.com',
  'yahoo.con': 'yahoo.com',
  'iclod.com': 'icloud.com',
  'icloud.co': 'icloud.com',
  'icloud.con': 'icloud.com',
  'gmx.ed': 'gmx.de',
  'web.ed': 'web.de',
  't-online.ed': 't-online.de',
}

/**
 * The domain that was probably meant; undefined: it looks right. Nothing is corrected, because it may be somebody else's address.
 * Pure.
 */
export function meantDomain({ key }: EmailAddress): string | undefined {
  const domain = domainOf(key)
  return slips[domain] ?? (/\.(con|cmo|comm|cim|vom)$/.test(domain) ? domain.replace(/\.\w+$/, '.com') : undefined)
}
