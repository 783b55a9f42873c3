// Why a mail was refused, as one ordered table. A server's words come first, because a 5.1.1 often says something else in words.
// Then comes its RFC 3463 code. Replies on the wire and returned mails are both read with this table.

export type Reason =
  | 'mailbox_full'
  | 'too_big'
  | 'suspended'
  | 'moved'
  /** The server accepts no mail for that domain from us. */
  | 'relaying'
  /** The sender: our host, our address, our domain's records. */
  | 'blocked'
  /** This mail, or what we are allowed to send. */
  | 'policy'
  /** Too much at once. */
  | 'throttled'
  | 'user_unknown'
  /** No such domain, or one that accepts no mail. */
  | 'host_unknown'
  /** Given up after some days. */
  | 'expired'
  /** Not given up yet. */
  | 'delayed'
  /** The server is broken, or can't be reached. */
  | 'system'
  | 'other'

/** The address is dead. */
export const deadReasons: ReadonlySet<Reason> = new Set<Reason>(['user_unknown', 'host_unknown', 'moved'])

const account =
  '(?:user|recipient|mailbox|address|account|addressee|mail ?box|e-?mail|login|userid|alias|empf[^ ]{1,10}nger|benutzer)'
const limitOf = '(?:quota|storage|mailbox size|space)'

/** The first row that matches wins. Every pattern is linear: its repetitions are bounded. */
const byWords: readonly (readonly [Reason, RegExp])[] = (
  [
    // At RCPT, Postfix and Exim judge the sender, the greeting and our host: "Domain not found" then means our domain.
    [
      'policy',
      'domain of sender|sender (?:e-?mail )?(?:address |domain |verify |verification |is |was )?(?:rejected|failed|denied|refused|not |unknown|invalid)',
      '(?:after|reply to) (?:pipelined )?mail from|sender was rejected|verification failed for|envelope (?:sender|from)|mail from(?! ?:)|return.path|bad outbound sender|sending (?:quota|limit)',
    ],
    ['blocked', '(?:helo|ehlo)\\b.{0,20}(?:rejected|invalid)|my name was rejected|client host'],
    ['host_unknown', 'domain is not reachable'],
    ['system', 'procmail:|(?:could not|couldn.t|can.t|cannot) create'],
    [
      'mailbox_full',
      '\\bquota|(?:mail ?)?box(?:es)? (?:is |was )?(?:over ?)?full|mail ?folder is full|full mailbox|disk (?:is )?full|(?:user|mailbox|account|inbox)[^.]{0,20} exceeds|переполнен|已满|voll(?:es)? postfach|pleine|dépassé',
      `(?:exceed(?:s|ed|ing)?|over|out of|insufficient|not enough|no) .{0,30}\\b${limitOf}`,
      `${limitOf} (?:limit |allocation )?(?:was |has been |is )?(?:exceeded|full)|storage`,
    ],
    [
      'too_big',
      '(?:message|mail|content) .{0,20}(?:too (?:large|big|long)|exceeds)|too (?:large|big)|message size|size ?limit|size exceed|(?:maximum|allowed) (?:message )?size',
    ],
    [
      'suspended',
      'disabled|discontinued|deactivated|suspended|\\blocked|inactiv|not (?:been )?activated|account (?:has |is )?expired|on hold',
    ],
    ['moved', 'has moved|moved to|address (?:has )?changed|changed (?:his|her|their|my|its) |no longer (?:with|works)'],
    [
      'relaying',
      'relay(?:ing)? (?:access )?(?:denied|not)|(?:unable|not allowed|not permitted) to relay|rcpthosts|relaying',
    ],
    [
      'blocked',
      'block|black ?list|black list|\\brbl\\b|dnsbl|spamhaus|reputation|banned|(?<!not )listed|\\bptr\\b|reverse',
      '(?<!or )\\bip (?:address|range)\\b|permanently deferred|access denied, ',
    ],
    [
      'policy',
      'spam|polic(?:y|ies)|dmarc|\\bdkim\\b|\\bspf\\b|authenticat|not permitted|unsolicited|spoof|virus|malware|infected',
    ],
    [
      'throttled',
      'too many|too fast|\\brates?\\b|rate.?limit|throttl|try again later|temporarily deferred|concurren|limit exceeded',
      'slow down|server busy|grey|gray',
    ],
    [
      'user_unknown',
      `${account}\\b[^.]{0,40}\\b(?:unknown|not found|does(?:n't|n’t| not) exist|no longer (?:valid|exists|available)|not exist|invalid)`,
      `${account}\\b[^.]{0,40}\\b(?:rejected: undeliverable|nicht bekannt|not recognized|unrecognized|nonexist|non-exist|not known|(?:could not|couldn't|couldn’t) be found)`,
      `(?:unknown|no such|invalid|nonexistent|unrecognized|no valid|illegal) (?:or illegal )?(?:local |final delivery )?${account}(?! error)|unknown local`,
      'no such person|existiert nicht|adresse n.existe pas|no existe|não existe|nicht gefunden|unbekannt|inconnue?|desconhecid|sconosciut|не существует|не найден|見つかりません|存在しません|不存在|no mailbox (?:here|by that name)',
      `not an? (?:valid|known|registered|active) .{0,20}${account}|does(?:n't|n’t| not) have an? .{0,60}account`,
      'not listed in .{0,60}(?:directory|address book)|リストにありません|check if address is correct|(?:directory|mailbox) .{0,20}not found|recipnotfound|recipientnotfound',
    ],
    ['system', 'host not found, try again|name server: .{0,60}host name lookup failure'],
    [
      'host_unknown',
      "(?:host|domain).{0,40}(?:unknown|not found|does(?:n’t|n't| not) exist|not exist)|unknown host|no such (?:host|domain)",
      "nxdomain|non-existent hosts|find a mail exchanger|null ?mx|does(?:n't| not) accept (?:e-?)?mail|bad destination host",
      'lookups? failed permanently|no mx (?:record )?found|no smtp service|(?:illegal|invalid) (?:host|domain)',
    ],
    [
      'expired',
      'too long|retry time|expired|giving up|given up|retry timeout|attempts|not going to try again|unable to deliver in',
    ],
    [
      'system',
      'timed out|timeout|refused|no route|unreachable|loop|hops|local (?:configuration )?error|lost connection|temporar',
    ],
  ] satisfies [Reason, ...string[]][]
).map(([reason, ...patterns]) => [reason, new RegExp(patterns.join('|'), 'i')])

const unknownUser = byWords.find(([reason]) => reason === 'user_unknown')![1]

const byStatus: readonly (readonly [Reason, RegExp])[] = [
  ['user_unknown', /^5\.1\.[13]$/],
  ['host_unknown', /^5\.1\.(?:2|10)$/],
  ['moved', /^5\.1\.6$/],
  // The sender is meant: bad sender address, its domain, our quota at the relay.
  ['policy', /^5\.(?:1\.[78]|4\.5)$/],
  ['mailbox_full', /^[45]\.2\.2$/],
  ['too_big', /^[45]\.(?:2\.3|3\.4)$/],
  ['suspended', /^5\.2\.1$/],
  ['expired', /^[45]\.4\.7$/],
  ['policy', /^[45]\.7\./],
  ['system', /^[45]\.[34]\./],
]

/** A longer text says nothing new in its rest. */
const longestText = 2000
const addresses = /[^\s<>()[\]{},;:"']{1,64}@[^\s<>()[\]{},;:"']{1,255}/g
const quotedNames = [
  // Sendmail: "550 5.1.1 ada... User unknown".
  /^(?:\d\.\d{1,3}\.\d{1,3} )?\S{1,255}\.\.\. /,
  /<[^\s<>]{1,320}>/g,
  addresses,
  /"[^\s"]{1,320}"|(?<!\w)'[^\s']{1,320}'(?!\w)/g,
]
const hostNames = /\bhttps?:\/\/\S{1,500}|\b(?:[a-z0-9-]{1,63}\.){1,10}[a-z]{2,24}\b/gi

/** For texts that are kept apart from the person. Pure. */
export function withoutAddresses(text: string): string {
  return text.slice(0, longestText).replace(addresses, '…')
}

/**
 * The reason of a refusal, from its words and its status (`5.1.1`) if any. Quoted text doesn't count: `No such user:
 * policy@paper.example` is about a user, not about policy. Pure.
 */
export function reasonFor(text: string, status: string | null): Reason {
  const words = quotedNames.reduce((rest, name) => rest.replace(name, ' '), text.slice(0, longestText))
  // The name of a host or of a help page counts only if the rest says nothing: "rejected, see spamhaus.org/…".
  const said = inWords(words.replace(hostNames, ' ')) ?? inWords(words)
  // The status and the words agree. "see our policy" or "greylisting is on" next to them is advice.
  if ((said === 'policy' || said === 'throttled') && inStatus(status) === 'user_unknown' && unknownUser.test(words))
    return 'user_unknown'
  // "5.1.8 domain not found" is about the sender's domain.
  if (said === undefined || (deadReasons.has(said) && inStatus(status) === 'policy' && status?.startsWith('5.1.')))
    return inStatus(status) ?? 'other'
  return said
}

function inWords(words: string): Reason | undefined {
  return byWords.find(([, pattern]) => pattern.test(words))?.[0]
}

function inStatus(status: string | null): Reason | undefined {
  return byStatus.find(([, pattern]) => status !== null && pattern.test(status))?.[0]
}
