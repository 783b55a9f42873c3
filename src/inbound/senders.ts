// How servers differ in the words of returned mails. A server that follows RFC 3464 needs no row. Nor does one that writes each
// failed address at the beginning of a line, below a line such as "the following recipients".
//
// To add one: `is` matches only this server, in the lines From, Subject and X-Mailer or in its words. `failed` finds a failed
// address, written as `{}`. `after` is where to begin, if other addresses come before.

import type { Reason } from '../delivery/reasons.ts'
import { addressPattern } from './addresses.ts'

export interface Sender {
  name: string
  is: RegExp
  after?: RegExp
  /** The text about an address ends with its line. */
  isOnOneLine?: true
  /** The text comes before the address. */
  saysBefore?: true
  /** It reports about its own users, and not another server's reply. */
  knowsUsers?: true
  action?: 'delivered'
  /** It always means this. */
  reason?: Reason
  /** The address is the group of that name. */
  failed: RegExp
}

function failed(pattern: string): RegExp {
  return new RegExp(pattern.replace('{}', `(?<address>${addressPattern})`), 'gim')
}

export const senders: readonly Sender[] = [
  {
    name: 'qmail, and Yahoo, Plesk, X2 and X4 after it',
    is: /^Hi\. This is the|^Sorry, we were unable to deliver your message|unable to deliver (?:your )?message to the following/im,
    failed: failed('^[ \\t]{0,8}<{}>:'),
  },
  {
    name: 'sendmail 8, X1, Biglobe, McAfee, Active!Hunter',
    is: /^[ \t]*-{2,} ?The following addresses had/im,
    after: /^[ \t]*-{2,} ?The following addresses had/im,
    failed: failed('^[ \\t]{0,8}(?:>>> )?(?:\\(expanded from: )?<?{}>?(?:[ \\t),]|$)'),
  },
  {
    name: 'sendmail 5',
    is: /^[ \t]*-{3,} Transcript of session follows/im,
    failed: failed('^[45]\\d\\d (?:[45]\\.\\d\\.\\d )?<?{}>?(?:\\.\\.\\.|,)'),
    isOnOneLine: true,
  },
  {
    // It answers 550 user unknown, but its words say that the account is disabled.
    name: 'EZweb, of an account that exists',
    is: /^The user\(s\) account is /im,
    failed: failed('^[ \\t]{0,8}<{}>:'),
    saysBefore: true,
  },
  {
    name: 'Exchange 4 and 5.5, GroupWise',
    is: /did not reach the following recipient|^The following recipient\(s\) could not be reached/im,
    after: /did not reach the following recipient|^The following recipient\(s\) could not be reached/im,
    failed: failed('^[ \\t]{0,20}(?:[^\\n]{0,200}SMTP=)?{}(?:;? on\\b|;|$)'),
    knowsUsers: true,
  },
  {
    name: 'Exchange 2007 and later, Microsoft 365',
    is: /Delivery has failed to these recipients|^Generating server:/im,
    after: /Delivery has failed to these recipients|^Generating server:/im,
    failed: failed('(?:^|[(<:* \\t])(?:mailto:)?{}'),
  },
  {
    name: 'Sun, iPlanet, Oracle, PMDF',
    is: /^[ \t]*Recipient address: /im,
    failed: failed('^[ \\t]{0,8}Original address: {}'),
  },
  {
    name: 'the same, where the address stayed as it was',
    is: /^[ \t]*Recipient address: /im,
    failed: failed('^[ \\t]{0,8}Recipient address: {}'),
  },
  {
    name: 'Domino',
    is: /was not delivered to:/i,
    after: /was not delivered to:/i,
    failed: failed('^[ \\t]{0,8}{}[ \\t]*$'),
    knowsUsers: true,
  },
  {
    name: 'Notes',
    is: /^-{3,} Failure Reasons/im,
    after: /^-{3,} Failure Reasons/im,
    failed: failed('^{}'),
    saysBefore: true,
    knowsUsers: true,
  },
  {
    name: 'IMail',
    is: /SMTP32|^Undeliverable Mail[ \t]*$/im,
    failed: failed('^(?:undeliverable +to |[a-z0-9 ]{4,60}: +){}[ \\t]*$'),
    knowsUsers: true,
  },
  {
    name: 'EZweb, KDDI, MailFoundry, LSMTP, SurfControl, HotPOP',
    is: /^[ \t]*(?:Recipient|Could not be delivered to|Unable to deliver message to|Error-for|Addressed To|Undeliverable Address): /im,
    failed: failed(
      '^[ \\t]{0,8}(?:Recipient|Could not be delivered to|Unable to deliver message to|Error-for|Addressed To|Undeliverable Address): +<?{}',
    ),
  },
  {
    name: 'Verizon, Apache James, hMailServer, InterScan',
    is: /vzwpix|vtext|^Message details:|^hMailServer|^[ \t]*hMailServer sent|^Sent <<< RCPT/im,
    failed: failed('RCPT TO: {0,2}<?{}'),
    saysBefore: true,
    knowsUsers: true,
  },
  {
    name: 'InterScan, of a whole domain',
    is: /InterScan/i,
    failed: failed('Unable to deliver message to <{}>'),
    knowsUsers: true,
  },
  {
    name: 'Hotmail, of its own users',
    is: /^[^\n]{0,40}postmaster@(?:hotmail|live|msn|outlook)\./i,
    failed: failed('^[ \\t]{1,20}{}[ \\t]*$'),
    knowsUsers: true,
  },
  {
    name: 'MailMarshal',
    is: /^The following recipients were affected/im,
    after: /^The following recipients were affected/im,
    failed: failed('^[ \\t]{1,8}{}'),
    saysBefore: true,
  },
  {
    name: 'X6',
    is: /trouble delivering your message|rejected recipient <|returned permanent errors/i,
    failed: failed('(?:rejected recipient <|returned permanent errors: ){}'),
  },
  {
    name: 'DragonFly, Dovecot, Exim of 2002',
    is: /delivering your mail to <|^Your message to <|^The following message, addressed to/im,
    failed: failed("(?:delivering your mail to <|^Your message to <|message, addressed to '){}"),
  },
  {
    // A group that doesn't exist, or one where we may not post: the text doesn't say which.
    name: 'Google Groups',
    is: /https:\/\/(?:support\.google\.com\/a\/[^\s]{0,60}groups|groups\.google\.com)|\bGoogle Groups\b/i,
    failed: failed('^Hello {}, you tried'),
    reason: 'policy',
  },
  {
    name: 'Gmail and Google Workspace, of their own users',
    is: /because the address couldn't be found\. /,
    failed: failed("wasn't delivered to {} because the address"),
    knowsUsers: true,
  },
  {
    name: 'fml, a mailing list that takes no mail from us',
    is: /^You are not a member of this mailing list|^Duplicated Message-ID in/m,
    failed: failed('(?:member of this mailing list|Message-ID in) <{}>'),
    reason: 'policy',
  },
  {
    name: 'Amazon SES by SNS, of a mail that arrived',
    is: /notificationType\\?":\\?"Delivery/,
    failed: failed('recipients\\\\?":\\[\\\\?"{}'),
    action: 'delivered',
  },
  {
    name: 'Amazon SES by SNS',
    is: /(?:bounced|complained)Recipients\\?":/,
    failed: failed('emailAddress\\\\?":\\\\?"{}'),
  },
]

/** The failed addresses follow, if there are any. */
export const listBegins =
  /(?:following|these|some|intended|affected) (?:e-?mail |list of |or all of the )?(?:recipient|address|user)|recipients?\(s\)|address(?:\(?es\)?)? failed|did not receive|not (?:yet )?been delivered|permanent errors/i

const markers = [
  // "--- Below this line is a copy of the message.", "----- Original message -----", "---- START OF RETURNED MESSAGE ----".
  String.raw`-{2,80} ?[^\n-][^\n]{0,60}?(?:original|returned|unsent|undelivered|copy of|headers?\b|message follows)[^\n]{0,100}`,
  String.raw`-{2,80}[ \t]?(?:original|returned|unsent|undelivered|headers?\b)[^\n]{0,100}`,
  String.raw`[ \t]{0,12}(?:below (?:this line )?|included |here )is a copy of [^\n]{0,100}`,
  String.raw`[ \t]{0,12}(?:the )?(?:original )?message(?: headers?)? follows?\.?[ \t]*`,
  String.raw`[ \t]{0,12}(?:a copy of the )?original message(?: headers?| as received is as follows| below this line)?(?: attached)?(?: \(max[^\n]{0,20})?[.:]?[ \t]*`,
  String.raw`content-type:[ \t]*(?:message\/rfc822|text\/rfc822-headers)[^\n]*`,
  String.raw`(?:received|return-path|x-received|dkim-signature):[^\n]*`,
]
/** The end of the words and the start of the returned message. */
export const returnedBegins = new RegExp(`^(?:${markers.join('|')})$`, 'im')
