// The meaning of a column by its title, for files without an entry for their system. The first rule that matches counts, so titles
// that forbid mail come before those that allow it. A title that looks like either and matches none is a doubt, which stops the
// import: a refused file costs a minute, but a mail to somebody who unsubscribed can't be undone.

import {
  against,
  type Field,
  field,
  fields,
  inFavour,
  neutral,
  nothing,
  type Reading,
  status,
  tags,
} from './readings.ts'
import { plain } from './words.ts'

/** Titles for the address, best first. */
const emailTitles =
  `email address,e mail address,email,e mail,mail,email id,emailadresse,e mail adresse,mailadresse,adresse email,
  adresse e mail,adresse mail,adresse electronique,courriel,adresse courriel,mel,correo electronico,correo,direccion de correo,
  direccion de correo electronico,direccion email,البريد الالكتروني,البريد الإلكتروني,بريد الكتروني,البريد,الايميل,ايميل,الإيميل,
  indirizzo email,indirizzo e mail,posta elettronica,e mailadres,emailadres,mailadres,endereco de email,endereco de e mail,
  correio eletronico,subscriber email,user email,contact email,primary email,email primary,mail address,emailaddress,
  subscriber,address`
    .split(',')
    .map(plain)

/** How good a title is for the address; -1: it isn't one. Pure. */
export function emailRank(title: string): number {
  const words = plain(title)
  const at = emailTitles.indexOf(words)
  if (at >= 0) return emailTitles.length - at
  return /\b(e ?mail|courriel|correo)\b/.test(words) && !statusLike.test(words) && words.split(' ').length <= 3 ? 0 : -1
}

/** A title that can only mean the address, which identifies a header row. */
export const namesAddress = (title: string): boolean => emailRank(title) > 2

const time = String.raw`\b(date|time|timestamp|at|on|when|since|datum|zeit|zeitpunkt|am|seit|heure|le|fecha|hora|desde|data|ora|op|tijd|em|quando)\b|(datum|zeitpunkt)$|تاريخ|وقت`
const statusLike =
  /status|statut|estado|subscri|unsub|optin|optout|\bopt\b|bounc|activ|aktiv|enabled|disabled|confirm|clean|block|black ?list|spam|complain|delet|consent|suppress|undeliver|invalid|do not|abgemeldet|desabonn|desinscri|suscri|iscritt|permi(ss|t)|allow|accept|agree|gdpr|dsgvo|rgpd|marketing|newsletter|receiv|mailable|sendable|deliver|dont|nomail|noemail|nosend|valid|verif|remov|cancel|revo[kc]|withdr|exclu|expir|archiv|abuse|junk|trash|suspend|paus|reject|refus|declin|reachable|contactable|quarantin|approv|\bbanned\b|abmeld|gesperrt|einwillig|zustimm|consentement|consentimiento|baja|اشتراك|موافق|حالة/
/** A title with only this word. */
const alone =
  /\b(left|quit|gone|held|hold|stop|stopped|off|out|ban|dead|dnc|dnd|dnm|hard|soft|mute|muted|dormant|lapsed|closed|locked|unreachable|left list)\b/

const rules: [RegExp, Reading][] = [
  // Other ways to reach a person, and columns that only contain names or links.
  [/^(?!.*\b(e ?mail|newsletter)).*\b(sms|whatsapp|push)\b|\btrack(ing)?\b/, nothing],
  [/^(?!.*\b(e ?mail|newsletter)).*\b(phone|telefon|mobile|handy|fax|postal)\b/, neutral],
  // Titles that only sound like a status of mail. Their values are still checked.
  [
    /^(subscriber|contact|user|member) (name|score|rating)$|^last (activity|active|seen|open(ed)?|click(ed)?)\b|^letzte aktivitat|^derniere activite|^subscription (premium )?(tiers?|plan|price|product)( names?)?$|^(lead|deal|order|payment|marital|civil|ticket|customer|account) status$/,
    neutral,
  ],
  [/\b(url|link|token|hash|uuid|euid|leid|uniqid|unique id)\b|^(id|uid|rejected line|rejected because)$/, nothing],
  // Titles that forbid mail.
  [
    /\b(unsub\w*|abmelde\w*|opt ?out|desinscription|baja|bounce\w*) ?(reason|grund|comment|campaign|feedback|motif|motivo|source|quelle|via)/,
    { as: 'trace', standing: 'unsubscribed' },
  ],
  [/^unsub (campaign|reason)/, { as: 'trace', standing: 'unsubscribed' }],
  [
    /complain|spam ?report|marked ?(as )?spam|\babuse|beschwerde|\bplainte|\bqueja|شكوى|\breclamo|klacht|reclamacao/,
    against('complained', 'suppressed_at'),
  ],
  [
    /bounce(?!s? rate)|\bnpai\b|\bclean(ed)?( (time|date|at|on))?$|undeliver|unzustellbar|\brebond|\brebot|onbestelbaar|مرتد|rimbalz|devolvid/,
    against('bounced', 'suppressed_at'),
  ],
  [
    /block(ed|list)|black ?list|suppress|\bbanned\b|do not (e ?mail|contact|mail)|donotemail|\bdnc\b|gesperrt|sperrliste|geblokkeerd|bloque|bloquead|bloccat|liste noire|lista negra|lista nera|محظور|excluded|is excluded/,
    against('blocked', 'suppressed_at'),
  ],
  [
    /unsub|opt(ed)? ?out|hasoptedout|abgemeldet|abmelde|ausgetragen|austrag|abbestell|gekundigt|kundigung|desabonn|desinscri|resili|\bbaja\b|desuscri|disiscri|cancellazione|afgemeld|afmeld|uitgeschreven|uitschrijf|descadastr|cancelamento|الغاء الاشتراك|تاريخ الالغاء|e ?mail disabled|mail disabled|no ?e?mail|deleted|geloscht|supprime|eliminado|removed (at|on|date)|cancel?led (at|on|date)|left (at|on|date)|stop (time|date)|widerruf|withdrawn|revoked|deactivated|deaktiviert|desactive|\bdisabled$/,
    against('unsubscribed', 'unsubscribed_at'),
  ],
  [/\b(pending|ausstehend|en attente|pendiente)$/, against('pending')],
  // Titles that say which status it is.
  [
    /\b(status|statut|estatus|situacao|zustand|abostatus|anmeldestatus|abonnementstatus)\b|status$|^(subscription|subscriber) state$|حاله|^etat (de l )?(abonne|inscription)|^estado (de |del )?(suscri|correo|email)|^stato (di |dell )?(iscri|email)|^e ?mail campaigns?$/,
    status(),
  ],
  // Titles that allow mail, and when it was requested or confirmed.
  [
    /(opt ?in|consent|signup|sign up|subscri\w*|registration|anmelde\w*|einwilligung\w*|inscription|abonnement|suscripcion|alta|iscrizione|inscricao|aanmeld\w*|consentement|consentimiento|الاشتراك|الموافقه|الموافقة)\b.*\bip\b|\bip\b.*(opt ?in|consent|signup|sign up|subscri\w*)|^(ip|ip address|ip adresse|adresse ip|direccion ip|signup ip|subscribed ip)$/,
    field('consent_ip'),
  ],
  [/confirm\w* ip|bestatig\w* ip|ip de confirm/, nothing],
  [
    /(consent|opt ?in|signup|sign up|subscri\w*|anmelde\w*) (place|page|url|source|form|location|via|seite|formular|quelle)/,
    field('consent_place'),
  ],
  [
    new RegExp(`(confirm|bestatig|verif|تاكيد).*(${time})|(${time}).*(confirm|bestatig|verif|تاكيد)`),
    { as: 'flag', yes: 'subscribed', no: 'pending', blankIfUnsaid: 'pending', time: 'confirmed_at' },
  ],
  // Activated by the reader, who followed a link.
  [
    /^(activated|aktiviert|freigeschaltet|active le)( (at|on|am|date|time))?$|^(activation|aktivierungs?) ?(date|time|datum)$/,
    { as: 'flag', yes: 'subscribed', no: 'pending', blankIfUnsaid: 'pending', time: 'confirmed_at' },
  ],
  [
    /^(is |e ?mail )?(confirmed|verified|bestatigt|confirme|confirmee|confirmado|confirmato|bevestigd|مؤكد|موكد|تم التاكيد|double opt ?in|doi)$/,
    inFavour('pending', 'confirmed_at'),
  ],
  [
    new RegExp(
      `(opt ?in|consent|subscri|signup|sign up|signed up|joined|anmeld|angemeldet|eingetragen|einwilligung|inscription|inscrit|abonne|abonnement|suscri|\\balta\\b|iscri|aanmeld|inscri|اشتراك|موافق).*(${time})|(${time}).*(opt ?in|consent|subscri|signup|sign up|anmeld|inscri|abonne|suscri|\\balta\\b|iscri|aanmeld|اشتراك|موافق)`,
    ),
    field('consent_at'),
  ],
  [
    /^(created|creation|added|entered|registered|date added|erstellt|hinzugefugt|registriert|cree|ajoute|creado|anadido|creato|aggiunto|aangemaakt|criado|تم الانشاء)\b|^(creation|registration|registrierungs?) ?(date|time|datum)|تاريخ الانشاء|تاريخ التسجيل|^date (created|added|de creation)|^fecha de (creacion|registro)/,
    field('created_at'),
  ],
  [
    /^(is |e ?mail |has )?(subscribed|opted ?in|opt ?in|active|enabled|accepts|agreed)\b(?!.*(plan|paid|payment))|(subscribed|opt ?in|optin)( to (e ?mails?|newsletter))?$|^accepts? .*(marketing|e ?mail|newsletter)|^(wants|receives?|gets|erhalt|recoit|recibe) .*(newsletter|e ?mails?)|^accept$|^consent (newsletter|marketing|e ?mails?)$|^(newsletter|marketing|e ?mail)( marketing)? (consent|permission|opt ?in|subscription|subscribed|subscriber|abonniert|erwunscht)|^(marketing )?(consent|permission|permissions|gdpr|dsgvo|rgpd|einwilligung|zustimmung|consentement|consentimiento|consenso|toestemming|consentimento|موافق|الموافقه|الموافقة)$|^(abonniert|angemeldet|aktiv|abonne|inscrit|actif|suscrito|activo|مشترك|نشط|iscritto|attivo|actief|inscrito|ativo|mailable|e ?mail (ok|erlaubt|allowed))$/,
    inFavour('unsubscribed'),
  ],
  // Other titles.
  [
    /^(newsletters?|tags?|labels?|groups?|lists?|segments?|topics?|interests?|categories|gruppen?|listen?|etiquetas?|etiquettes?|groupes?|listes?|grupos?|listas?|themen|interessen|intereses|categorias|قوائم|القوائم|وسوم|gruppi|liste|etichette|lijst(en)?|groepen|list membership|subscribed lists)$/,
    tags,
  ],
  [/^(time ?zone|zeitzone|fuseau horaire|zona horaria|fuso orario|tijdzone|المنطقه الزمنيه)$/, field('timezone')],
  [
    /^((preferred |subscriber |contact |user )?(language|locale|lang)( code)?|sprache|langue|idioma|lingua|taal|lingua preferita|اللغه|اللغة|لغه|لغة)$/,
    field('locale'),
  ],
  [/^(frequency|haufigkeit|frequence|frecuencia|frequenza|frequentie|frequencia|التكرار)$/, field('frequency')],
  [
    /^((first|last|full|given|family|middle|nick|user|display)? ?name|(vor|nach|familien)?name|surname|prenom|nom|apellidos?|nombre|nome|cognome|voornaam|achternaam|الاسم|city|town|stadt|ort|ville|ciudad|zip|postal ?code|plz|country|land|pays|pais|region|company|firma|entreprise|empresa|organi[sz]ation|phone|telefon|telephone|birthday|geburtstag|gender|sex|anrede|title|position|job|notes?|notizen|comment|address|adresse|strasse|street|latitude|longitude|gmtoff|dstoff|cc|rating|member rating|source|utm \w+|referrer.*|last (changed|modified|updated|login)|updated( at)?|modified( at)?|attributes|metadata)$/,
    neutral,
  ],
]

/** Pure. `own`: our own names come first, as in our export. */
export function readTitle(title: string): Reading {
  const words = plain(title)
  const own = title
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '_')
  const ownField = fields.find((one) => one === own)
  if (ownField === 'email' || emailRank(title) >= 0) return field('email')
  if (ownField) return timed[ownField] ?? field(ownField)
  const slug = /^frequency\[(.+)\]$/.exec(title.trim().toLowerCase())?.[1]
  if (slug) return { as: 'category', slug }
  const found = rules.find(([pattern]) => pattern.test(words))?.[1]
  if (found) return found
  return statusLike.test(words.replaceAll(' ', '')) || statusLike.test(words) || alone.test(words)
    ? { as: 'doubt' }
    : neutral
}

/** Fields that also say something about mail. */
const timed: Partial<Record<Field, Reading>> = {
  unsubscribed_at: against('unsubscribed', 'unsubscribed_at'),
  suppressed_at: against('blocked', 'suppressed_at'),
  confirmed_at: { as: 'flag', yes: 'subscribed', no: 'pending', blankIfUnsaid: 'pending', time: 'confirmed_at' },
}

/** Titles with several meanings, such as `State` or `Type`: their values decide (columns.ts). Pure. */
export function isAmbiguous(title: string): boolean {
  return /^(state|type|kind|art|typ|estado|etat|stato|estado civil|newsletter|newsletters|liste|list|abo|abonnement|subscriptions?|suscripcion|نوع|الحاله|الحالة)$/.test(
    plain(title),
  )
}
