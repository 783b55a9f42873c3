// The general vocabulary: words for a status, for yes and no, in common languages (English, German, French, Spanish, Arabic,
// Italian, Dutch, Portuguese), for systems without an entry in systems.ts. Other words aren't understood, and a status that isn't
// understood stops an import. So add a word only if its meaning is beyond doubt.

import type { Frequency } from '../../db/schema.ts'
import type { Standing } from './standing.ts'

/**
 * Without accents and case, words separated by one space: `Email_Address`, `emailAddress` and `E-Mail-Adresse:` become words.
 * Pure.
 */
export function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(text))
    return text
      .replace(/([a-z])([A-Z])/g, '$1 $2')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, ' ')
      .trim()
  return text
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

const list = (words: string): string[] => words.split(/[,\n]/).map(plain).filter(Boolean)

const statusWords: Record<Standing, string> = {
  subscribed: `subscribed, subscriber, active, enabled, confirmed, opted in, opt in, optin, opt in confirmed, double opt in,
    double optin, verified, mailable, aktiv, angemeldet, abonniert, bestätigt, eingetragen, bestätigter abonnent, actif, active,
    abonné, abonnée, inscrit, inscrite, confirmé, confirmée, activo, activa, suscrito, suscrita, suscripto, confirmado,
    confirmada, de alta, alta, مشترك, مشتركة, نشط, نشطة, مفعل, مؤكد, attivo, attiva, iscritto, iscritta, confermato, confermata,
    actief, ingeschreven, aangemeld, geabonneerd, bevestigd, ativo, ativa, inscrito, inscrita, assinante, subscrito`,
  pending: `pending, unconfirmed, not confirmed, non confirmed, unverified, not verified, awaiting confirmation, unactivated,
    waiting for confirmation, pending confirmation, opt in pending, double opt in pending, not yet confirmed, confirmation sent,
    ausstehend, unbestätigt, nicht bestätigt, unbestätigter abonnent, wartet auf bestätigung, bestätigung ausstehend, wartend,
    en attente, en attente de confirmation, non confirmé, non confirmée, à confirmer, pendiente, pendiente de confirmar,
    pendiente de confirmación, no confirmado, no confirmada, sin confirmar, معلق, قيد الانتظار, غير مؤكد, بانتظار التأكيد,
    in attesa, in attesa di conferma, non confermato, non confermata, in afwachting, onbevestigd, niet bevestigd, pendente,
    não confirmado, não confirmada, aguardando confirmação`,
  unsubscribed: `unsubscribed, unsubscribe, unsub, opted out, opt out, optout, optedout, inactive, disabled, deactivated, cancelled,
    canceled, removed, deleted, archived, not subscribed, non subscribed, nonsubscribed, never subscribed, left, quit, expired,
    revoked, withdrawn, no consent, denied, declined, rejected consent, former subscriber, stopped, paused by admin,
    abgemeldet, ausgetragen, abbestellt, gekündigt, inaktiv, deaktiviert, gelöscht, widerrufen, nicht abonniert,
    nicht angemeldet, désabonné, désabonnée, désinscrit, désinscrite, inactif, inactive, désactivé, supprimé, supprimée, résilié,
    non abonné, non inscrit, dado de baja, dada de baja, de baja, baja, desuscrito, desuscrita, no suscrito, no suscrita,
    cancelado, cancelada, inactivo, inactiva, eliminado, eliminada, desactivado, غير مشترك, غير مشتركة, ألغى الاشتراك,
    تم إلغاء الاشتراك, إلغاء الاشتراك, ملغي, ملغى, غير نشط, محذوف, disiscritto, disiscritta, non iscritto, cancellato,
    cancellata, inattivo, disattivato, afgemeld, uitgeschreven, opgezegd, inactief, niet ingeschreven, verwijderd, descadastrado,
    descadastrada, não inscrito, desinscrito, inativo, inativa, removido, excluído`,
  bounced: `bounced, bounce, bounces, hard bounce, hard bounced, hardbounce, hardbounced, soft bounce, soft bounced, cleaned,
    undeliverable, undelivered, invalid, invalid address, invalid email, mailbox full, unreachable, dead, unzustellbar,
    nicht zustellbar, zurückgewiesen, ungültig, rebond, en rebond, non distribuable, non délivrable, invalide, adresse invalide,
    rebotado, rebotada, rebote, devuelto, no entregable, inválido, مرتد, مرتجع, غير قابل للتسليم, rimbalzato, respinto,
    non recapitabile, onbestelbaar, gebounced, devolvido, retornado`,
  complained: `complained, complaint, complaints, spam, spam complaint, spam report, reported as spam, marked as spam, abuse,
    abuse complaint, abuse report, beschwerde, beschwert, als spam gemeldet, spam gemeldet, plainte, signalé comme spam, queja,
    denuncia, marcado como spam, شكوى, بلاغ مزعج, reclamo, segnalato come spam, klacht, reclamação, reclamou`,
  blocked: `blocked, blacklisted, blacklist, blocklisted, blocklist, suppressed, banned, do not contact, do not mail,
    do not email, dnc, excluded, suspended, junk, spammy, quarantined, gesperrt, blockiert, schwarze liste, sperrliste, bloqué,
    bloquée, liste noire, sur liste noire, suspendu, exclu, bloqueado, bloqueada, lista negra, en lista negra, excluido,
    محظور, محظورة, محجوب, القائمة السوداء, bloccato, bloccata, geblokkeerd, geblokkeerde, zwarte lijst`,
}

const statusOf = new Map(
  (Object.entries(statusWords) as [Standing, string][]).flatMap(([standing, words]) =>
    list(words).map((word) => [word, standing] as const),
  ),
)

/** Parts of longer wordings that forbid mail: "unsubscribed by admin", "Hard bounced (550)". */
const forbidding: [RegExp, Standing][] = [
  [/spam complaint|reported as spam|complained|beschwerde|plainte|شكوى/, 'complained'],
  [/bounced|hard bounce|undeliverable|unzustellbar|onbestelbaar|مرتد/, 'bounced'],
  [/black ?list|block ?list|do not (e ?mail|contact|mail)\b|gesperrt|lista negra|liste noire|محظور/, 'blocked'],
  [
    /unsubscrib|\bopt(ed)? ?out\b|abgemeldet|desabonne|desinscrit|dad[oa] de baja|desuscrit|disiscritt|afgemeld|descadastrad|الغاء الاشتراك|غير مشترك|\bdeleted\b/,
    'unsubscribed',
  ],
  [/\b(un|not |non |never )confirmed|awaiting confirm|pending confirm|nicht bestatigt|غير موكد/, 'pending'],
]

/** The status of a word or wording; null: not understood. Pure. */
export function statusWord(text: string): Standing | null {
  const words = plain(text)
  return statusOf.get(words) ?? statusOf.get(words.replace(/ \d.*$/, '')) ?? forbiddingWords(text)
}

/** The same for running text, such as notes. Only whole wordings that forbid mail count. Pure. */
export function forbiddingWords(text: string): Standing | null {
  const words = plain(text)
  return anyForbidding.test(words) ? forbidding.find(([pattern]) => pattern.test(words))![1] : null
}
const anyForbidding = new RegExp(forbidding.map(([pattern]) => pattern.source).join('|'))

const yes = new Set(
  list(`yes, y, true, t, 1, x, on, ok, ja, j, wahr, oui, o, vrai, si, s, verdadero, نعم, vero, waar, sim, verdadeiro, checked,
    opted in, opt in, agreed, accepted, granted, given`),
)
for (const mark of ['✓', '✔', '☑', '✅']) yes.add(mark)
const no = new Set(
  list(
    `no, n, false, f, 0, off, nein, falsch, non, faux, falso, لا, nee, onwaar, nao, não, unchecked, none, never, ❌`,
  ),
)

/** null: neither. Pure. */
export function yesOrNo(text: string): boolean | null {
  const word = plain(text) || text.trim()
  return yes.has(word) ? true : no.has(word) ? false : null
}

/** What databases and spreadsheets write for an empty value. Pure. */
export function isBlank(text: string): boolean {
  return /^(\s*|null|none|nil|nan|\\n|n\/?a|#n\/a|undefined|-+|—|\[\]|\{\}|0000-00-00( 00:00:00)?)$/i.test(text.trim())
}

const frequencyWords: Record<Frequency | 'off', string> = {
  daily: `daily, every day, täglich, quotidien, quotidienne, journalier, chaque jour, diario, diaria, cada día, يومي, يوميا,
    giornaliero, quotidiano, ogni giorno, dagelijks, diário, diária`,
  weekly: `weekly, every week, wöchentlich, hebdomadaire, chaque semaine, semanal, cada semana, أسبوعي, أسبوعيا, settimanale,
    ogni settimana, wekelijks`,
  monthly: `monthly, every month, monatlich, mensuel, mensuelle, chaque mois, mensual, cada mes, شهري, شهريا, mensile, ogni mese,
    maandelijks, mensal`,
  off: `off, never, none, no, nie, aus, jamais, aucun, nunca, أبدا, mai, nooit`,
}

const frequencyOf = new Map(
  (Object.entries(frequencyWords) as [Frequency | 'off', string][]).flatMap(([frequency, words]) =>
    list(words).map((word) => [word, frequency] as const),
  ),
)

/** null: not a frequency. Pure. */
export function frequencyWord(text: string): Frequency | 'off' | null {
  return frequencyOf.get(plain(text)) ?? null
}

/** `"VIP","Blog"` and `vip; blog` are two elements each. Pure. */
export function elements(cell: string): string[] {
  return cell
    .split(/[,;|]/)
    .map((one) => one.replace(/["[\]]/g, '').trim())
    .filter(Boolean)
}
