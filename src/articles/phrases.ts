// Phrases that say nothing about a story. They count only if they are all that a block or link says, never inside a text.

/** The story and feed that a text belongs to. */
export interface About {
  title: string | null
  link: string | null
  /** The feed's name, and its site. */
  feedTitle: string
  siteUrl: string | null
}

/** Without punctuation at their ends, in lower case. */
const readOn = new Set(
  `read more|read on|read full|read the full|read full story|read the full story|read full article|read the full article|read more here|read it here
  |read the rest|read the rest of this entry|read the rest of this post|read the rest of this article|read the rest of the story|read the whole story
  |read this article|read this story|read article|read story|read the article|read the story|full story|full article|the full story|see more|view more
  |more|more here|see full story|view full article|view article|view post|view full post|learn more|find out more|continue|continue reading|keep reading
  |continue to article|click here to read more|click here for more|click to read more|click here to continue reading|click here to read the full story
  |visit our website for more|read more on our website|read more on our site|permalink|link|source|details|more details|more info|more information
  |weiterlesen|mehr lesen|mehr|mehr erfahren|zum artikel|zum beitrag|weiter lesen|weiter|ganzen artikel lesen|den ganzen artikel lesen|artikel lesen|lesen sie mehr
  |hier weiterlesen|jetzt lesen|mehr dazu|lesen sie weiter|vollständigen artikel lesen
  |lire la suite|en savoir plus|lire plus|lire l'article|lire l’article|lire l'article complet|lire l’article complet|la suite|suite|lire la suite de l'article|lire la suite de l’article|lire
  |leer más|leer mas|seguir leyendo|sigue leyendo|continuar leyendo|continúa leyendo|ver más|leer artículo completo|leer nota completa|leer la noticia completa|más información|continuar
  |leia mais|continue lendo|continuar lendo|continuar a ler|ler mais|saiba mais|ver mais|leia a matéria completa|leia na íntegra|ler artigo completo
  |leggi tutto|leggi|continua a leggere|continua|leggi di più|leggi l'articolo|leggi l’articolo|leggi altro|continua la lettura
  |lees meer|lees verder|meer lezen|verder lezen|meer|lees het hele artikel
  |läs mer|läs vidare|läs hela artikeln|fortsätt läsa|les mer|les videre|les hele saken|fortsett å lese|læs mere|læs videre|fortsæt læsning|lue lisää|lue koko juttu|jatka lukemista|lesa meira
  |czytaj dalej|czytaj więcej|więcej|przeczytaj|czytaj|číst dále|celý článek|číst dál|více|čítať ďalej|viac|pokračovat ve čtení|citește mai mult|citește mai departe|citeste mai mult|mai mult|preberi več|več|pročitaj više|opširnije|više
  |tovább|tovább olvasom|bővebben|loe edasi|loe lähemalt|lasīt vairāk|skaityti daugiau|skaityti toliau|lexo më shumë
  |читать далее|читать дальше|читать полностью|читать|подробнее|далее|продолжить чтение|читати далі|читати більше|детальніше|докладніше|прочети още|още|прочетете повече|сазнај више|опширније
  |διαβάστε περισσότερα|διαβάστε τη συνέχεια|συνέχεια|περισσότερα|περισσότερα εδώ
  |devamını oku|devamı|devamını okuyun|daha fazla|daha fazla oku|okumaya devam et|baca selengkapnya|selengkapnya|baca juga|lanjutkan membaca|đọc tiếp|xem thêm|xem tiếp|đọc thêm|seguir llegint|llegir més|irakurri gehiago|ler máis
  |اقرأ المزيد|المزيد|تابع القراءة|إقرأ المزيد|أكمل القراءة|קרא עוד|המשך קריאה|להמשך קריאה|קראו עוד|ادامه مطلب|بیشتر بخوانید|مزید پڑھیں|और पढ़ें|आगे पढ़ें|আরও পড়ুন|மேலும் படிக்க|อ่านต่อ|อ่านเพิ่มเติม
  |続きを読む|続きはこちら|もっと読む|全文を読む|詳細|阅读全文|阅读更多|继续阅读|查看全文|更多|閱讀全文|繼續閱讀|閱讀更多|더 보기|더보기|계속 읽기|자세히 보기|기사 보기`
    .split('|')
    .map((phrase) => phrase.trim()),
)

/** Longer texts aren't phrases. */
const longestPhrase = 80

/** `text` is a whole block or link. */
export function isReadOn(text: string): boolean {
  return text.length <= longestPhrase && readOn.has(bareWords(text))
}

/** `Continue reading “Low tide”`: a phrase, then the story's title and nothing else. */
export function isReadOnWithTitle(text: string, title: string | null): boolean {
  if (!title) return false
  const at = straight(text).indexOf(straight(title))
  if (at <= 0 || /[\p{L}\p{N}]/u.test(text.slice(at + title.length))) return false
  return isReadOn(text.slice(0, at))
}

function bareWords(text: string): string {
  return text
    .toLowerCase()
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .split(/[^\p{L}\p{N}\p{M}]+$/u, 1)[0]!
    .replace(/\s+/g, ' ')
}

/** The same letters and digits. */
export function isSameText(text: string, other: string): boolean {
  if (text.length > other.length * 2 + 20 || !other) return false
  const key = (written: string) =>
    written
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}]+/gu, '')
  const wanted = key(other)
  return wanted !== '' && key(text) === wanted
}

/** Replaces all kinds of quotes and hyphens by those of the keyboard, one for one. */
export function straight(text: string): string {
  return text
    .replace(/[‘’‚‛′ʼ]/g, "'")
    .replace(/[“”„‟″«»]/g, '"')
    .replace(/[‐‑‒–—―]/g, '-')
}

export function wordsOf(text: string): number {
  return text.split(/\s+/).filter(Boolean).length
}

const credit =
  /^[([]?\s?(?:(?:file |ap |afp |reuters )?(?:photos?|photographs?|photography|images?|pictures?|pics?|illustrations?|video|credits?|photo credits?|image credits?|foto|fotos|fotografie|fotografía|bild|bilder|bildquelle|quelle|crédits?|crédit photo|créditos?|imagen|imagem|immagine|zdjęcie|kuva|фото|снимка|φωτογραφία|fotoğraf|写真|图片|사진))\s?(?:(?:credits?|courtesy|source)\s?)?(:|：|\/|©|\(c\)|(?:by|courtesy of|via|von|de|par|di|av|af|door)\s(?=\p{Lu}|@))|^[([]?\s?(?:©|\(c\)\s)/iu
const creditEnd = /[.!?]$/

/** A block that only names the photographer. */
export function isCredit(text: string): boolean {
  if (text.length > 120) return false
  const match = credit.exec(text)
  if (!match) return false
  // The expression ignores case, but a name starts with a capital.
  if (/\w\s$/.test(match[0]) && !/^[\p{Lu}@]/u.test(text.slice(match[0].length))) return false
  return wordsOf(text) <= 6 || !creditEnd.test(text)
}

/** The words after the title in the plain form of WordPress's last sentence, in its translations. */
const appeared =
  /^["'” »]{0,2}\s?(?:(?:first )?appeared first on|first appeared on|was first published on|erschien (?:zuerst|als erstes) auf|est apparue? en premier sur|(?:se publicó|apareció) primero en|(?:è|sembra essere il primo su|proviene da|è apparso per primo su)|apareceu primeiro (?:em|no)|aparece primero en|verscheen (?:voor het )?eerst op|dök först upp på|dukket (?:først )?opp (?:først )?på|blev først udgivet på|ilmestyi ensin|pochodzi z serwisu|pojawił się poczatkowo na|se nejdříve objevil na|впервые появил(?:ась|ось|ся|и) (?:на)?|apărut prima dată pe|first on)\s/iu

/**
 * `The post T appeared first on S`, if no link says so: with the title word for word, and the site's name or words that only
 * WordPress uses there.
 */
export function plainFooter(text: string, about: About): { from: number; site: string | null } | null {
  const { title, feedTitle } = about
  if (!title || title.length < 3) return null
  const at = straight(text).lastIndexOf(straight(title))
  if (at < 0 || text.length - at > title.length + 150) return null
  const after = text.slice(at + title.length)
  const said = appeared.exec(after)
  const site = said ? after.slice(said[0].length).replace(/[.\s]+$/, '') : ''
  const isNamed =
    feedTitle.length >= 3 &&
    after.length > feedTitle.length &&
    straight(after)
      .replace(/[.\s]+$/, '')
      .endsWith(straight(feedTitle)) &&
    !/[.!?]\s/.test(after)
  if (!said && !isNamed) return null
  const from = startOfSentence(text, at)
  // A title alone with the site's name is a headline, not this sentence.
  if (from === null || (!said && from === at)) return null
  return { from, site: said && site && site.length <= 100 ? site : null }
}

/** The start of the sentence in which `at` is a few words in. null: it began much earlier. */
export function startOfSentence(text: string, at: number): number | null {
  const from = Math.max(0, at - 60)
  const before = text.slice(from, at)
  let start = -1
  for (const end of before.matchAll(/[.!?…\]»”"’)]\s|[。！？]\s?/g)) start = from + end.index + end[0].length
  if (start >= 0) return start
  // No full stop: the words before the title begin with a capital.
  const words = /(?:^|\s)(\p{Lu}\S*(?: [^\s]+){0,2} ?["“„«‘]?)$/u.exec(before)
  if (words) return at - words[1]!.length
  return from === 0 && before.length <= 40 ? 0 : null
}
