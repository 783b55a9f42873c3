// Why a mail was refused, as one ordered table: what a server says in words comes first, as a 5.1.1 often says something else in
// words; then its RFC 3463 code. The reply to a mail on the wire and a bounce that comes back are both read with it.

export type Reason =
  | 'mailbox_full'
  | 'too_big'
  | 'suspended'
  | 'moved'
  | 'relaying'
  | 'blocked'
  | 'policy'
  | 'throttled'
  | 'user_unknown'
  | 'host_unknown'
  /** Given up after some days. */
  | 'expired'
  /** Not given up yet. */
  | 'delayed'
  /** Their server is broken, or can't be reached. */
  | 'system'
  | 'other'

/** The address is dead. */
export const deadReasons: ReadonlySet<Reason> = new Set<Reason>(['user_unknown', 'host_unknown', 'moved'])

/** The first that matches wins. Every expression is linear: no unbounded repetition within another. */
const byWords: readonly (readonly [Reason, RegExp])[] = [
  ['mailbox_full', /quota|(mail)?box (is )?full|out of storage|not enough (disk )?space|storage/i],
  ['too_big', /too (large|big)|message size|size limit/i],
  ['suspended', /disabled|discontinued|deactivated|suspended|locked|inactiv/i],
  ['moved', /has moved|moved to|changed (his|her|their) (e-?mail )?address/i],
  ['relaying', /relay(ing)? (access )?(denied|not)|unable to relay|rcpthosts|not permitted to relay/i],
  ['blocked', /blocked|block ?list|blacklist|black list|\brbl\b|dnsbl|spamhaus|reputation|\bptr\b|reverse dns|banned/i],
  ['policy', /spam|polic(y|ies)|dmarc|\bdkim\b|\bspf\b|authenticat|unsolicited|not permitted|virus|spoof/i],
  ['throttled', /too many|too fast|rate.?limit|throttl|try again later|temporarily deferred|slow down|grey|gray/i],
  [
    'user_unknown',
    /(user|recipient|mailbox|address|account|addressee)\b.{0,40}\b(unknown|not found|does(n't| not) exist|no longer|invalid)|unknown (user|recipient|mailbox|local|address)|no such (user|recipient|mailbox|person|account|address)|no mailbox|invalid (recipient|mailbox|user)/i,
  ],
  ['host_unknown', /(host|domain).{0,20}(unknown|not found|does not exist)/i],
]

const byStatus: readonly (readonly [Reason, RegExp])[] = [
  ['user_unknown', /^5\.1\.[013]$/],
  ['host_unknown', /^5\.(1\.(2|10)|4\.4)$/],
  ['moved', /^5\.1\.6$/],
  ['mailbox_full', /^[45]\.2\.2$/],
  ['too_big', /^[45]\.(2\.3|3\.4)$/],
  ['suspended', /^5\.2\.1$/],
  ['expired', /^[45]\.4\.7$/],
  ['policy', /^[45]\.7\./],
  ['system', /^[45]\.[34]\./],
]

/** Of a refusal: what was said, and the status (`5.1.1`) if any. Pure. */
export function reasonFor(text: string, status: string | null): Reason {
  for (const [reason, words] of byWords) if (words.test(text)) return reason
  for (const [reason, pattern] of byStatus) if (status && pattern.test(status)) return reason
  return 'other'
}
