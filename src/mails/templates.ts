// The mails in emails/: NAME.mjml for the HTML part, NAME.txt.liquid for the text part, whose first lines are the Subject (and the
// Preheader). MJML runs once per template and process, before any value is in it: a title can't break its markup, and filling a
// piece costs microseconds. `<!-- piece:NAME -->` cuts a template into pieces that are filled apart: see digests/snapshot.ts.
//
// The colours in the templates stand for the site's own (templateColours).

import { readdir, readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Context as LiquidContext, Liquid, type Template as LiquidTemplate } from 'liquidjs'
import { coloursOf, usualDark, usualLight } from '../base/colours.ts'
import { addressOf } from '../base/addresses.ts'
import { type Direction, directionOf, isolate } from '../base/direction.ts'
import { escapeHtml } from '../base/escape-html.ts'
import { systemClock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { siteLink } from '../base/link-parameters.ts'
import { mailKinds } from '../delivery/composer.ts'
import { copyrightLine, siteLinks } from '../base/site-links.ts'
import type { Key } from '../messages/english.ts'
import type { Say } from '../messages/messages.ts'
import { siteLinkWords } from '../messages/words.ts'
import { renderMjml } from './mjml.ts'
import { type GivenSiteTexts, siteTextsIn } from '../articles/site-texts.ts'
import { clip, padded, underline, wrap } from './text.ts'

/** A test mail is a digest. */
export const templateNames = mailKinds.filter((kind) => kind !== 'test')
export type TemplateName = (typeof templateNames)[number]

type Values = Record<string, unknown>
type Fill = (values: Values) => string

export interface MailTemplate {
  name: TemplateName
  subject: Fill
  preheader: Fill
  /** By piece; what comes before the first marker is `open`. Values are escaped. */
  html: ReadonlyMap<string, Fill>
  text: ReadonlyMap<string, Fill>
}

const folder = fileURLToPath(new URL('../../emails/', import.meta.url))

const strict = {
  root: folder,
  strictVariables: true,
  strictFilters: true,
  ownPropertyOnly: true,
  lenientIf: true,
  cache: true,
} as const
const newEngines = () => ({
  html: withFilters(new Liquid({ ...strict, outputEscape: 'escape' })),
  text: withFilters(new Liquid(strict)),
})
let engines = newEngines()

function withFilters(engine: Liquid): Liquid {
  engine.registerFilter('clip', clip)
  engine.registerFilter('wrap', (text: string) => wrap(text))
  engine.registerFilter('underline', underline)
  engine.registerFilter('padded', padded)
  engine.registerFilter('turn', {
    raw: true,
    handler(text: string) {
      // Of a slot (digests/fragments.ts) each language knows the text itself.
      if (text.startsWith('\u0001')) return `${text.slice(0, -1)}Turn\u0001`
      return turn(text, aroundOf(this.context))
    },
  })
  // Arabic and Hebrew are neither spaced nor slanted.
  engine.registerFilter('latin', function (style: string, text: string) {
    return directionOf(text, aroundOf(this.context) ?? 'ltr') === 'ltr' ? style : ''
  })
  engine.registerFilter('isolated', function (text: string) {
    return isolate(text, aroundOf(this.context) ?? 'ltr')
  })
  engine.registerFilter('say', function (key: Key, ...values: [string, string | number][]) {
    return sayOf(this.context)(key, Object.fromEntries(values))
  })
  // `open` is the opening tag of the link that the sentence has.
  engine.registerFilter('say_linked', {
    raw: true,
    handler(key: Key, open: string) {
      const link = (within: readonly (string | Link)[]): Link => ({ link: `${open}${escapeHtml(within.join(''))}</a>` })
      return sayOf(this.context)
        .rich<Link>(key, { a: link })
        .map((part) => (typeof part === 'string' ? escapeHtml(part) : part.link))
        .join('')
    },
  })
  engine.registerFilter('before_link', function (text: string) {
    return sayOf(this.context)('mails.beforeLink', { text })
  })
  return engine
}

interface Link {
  link: string
}

const sayOf = (context: LiquidContext): Say => (context.getSync(['speaker']) as { say: Say }).say
const aroundOf = (context: LiquidContext) => context.getSync(['around']) as Direction | null

/** The attributes of an element whose text may be of another direction than what is around it. */
export function turn(text: string, around: Direction | null): string {
  const dir = directionOf(text, around ?? 'ltr')
  return dir === around ? '' : ` dir="${dir}" align="${sides[dir].start}"`
}

const loaded = new Map<string, Promise<MailTemplate>>()

/** Compiled once per process and look. */
export function loadTemplate(name: TemplateName, site: Config['site']): Promise<MailTemplate> {
  const key = JSON.stringify([name, site.light, site.dark])
  let template = loaded.get(key)
  if (!template) loaded.set(key, (template = compile(name, site)))
  return template
}

/** For whoever edits them: the next load compiles them again. */
export function forgetTemplates(): void {
  loaded.clear()
  engines = newEngines()
}

/** When a file of the templates was saved last, in milliseconds. */
export async function newestTemplate(): Promise<number> {
  const names = await readdir(folder, { recursive: true })
  const times = await Promise.all(names.map(async (name) => (await stat(folder + name)).mtimeMs))
  return Math.max(...times)
}

const sides = { ltr: { start: 'left', end: 'right' }, rtl: { start: 'right', end: 'left' } } as const

/** The language and direction of a mail's own sentences, for its template. `around`: the direction of what surrounds a text that
 * may be of another (filter `turn`); null: mails of both directions hold it, so each text says its own. */
export function frameValues(say: Say, around: Direction | null = say.dir): Values {
  return { lang: say.locale, dir: say.dir, ...sides[say.dir], around, speaker: { say } }
}

/** What every template may say about the site. `edition` is its number, `null` a preview, or the name of another mail. */
export function siteValues(config: Config, edition: number | string | null, say: Say, given: GivenSiteTexts): Values {
  const { site } = config
  const { tagline, disclaimer } = siteTextsIn(config, given, say.locale)
  return {
    name: site.name,
    url: siteLink(config, site.url, edition),
    signUpUrl: addressOf(config, '/'),
    tagline: tagline.text,
    logoUrl: site.logoUrl,
    postalAddress: oneLine(site.postalAddress),
    disclaimer: oneLine(disclaimer.text),
    disclaimerLang: disclaimer.language === say.locale ? null : disclaimer.language,
    copyright: copyrightLine(config, systemClock.now()),
    links: siteLinks(config).map((link) => ({ ...link, name: say(siteLinkWords[link.key]) })),
  }
}

/** What the colours in the templates stand for, on light and dark. */
const templateColours = {
  light: {
    '#fbfaf7': 'paper',
    '#1a1a1a': 'ink',
    '#3d3a35': 'ink',
    '#615c54': 'soft',
    '#d9d4ca': 'hair',
    '#7a1f2b': 'accent',
    '#ffffff': 'onAccent',
  },
  dark: {
    '#16181b': 'paper',
    '#e8e6e1': 'ink',
    '#cfcbc3': 'ink',
    '#a8a39b': 'soft',
    '#3c4046': 'hair',
    '#e58f97': 'accent',
  },
} as const

/** A site that keeps the usual ink, paper and accent keeps the templates' own shades. */
export function recolour(html: string, site: Config['site']): string {
  const becomes = new Map<string, string>()
  for (const [look, usual] of [
    ['light', usualLight],
    ['dark', usualDark],
  ] as const) {
    if (JSON.stringify(site[look]) === JSON.stringify(usual)) continue
    const own = coloursOf(site[look])
    for (const [colour, name] of Object.entries(templateColours[look])) becomes.set(colour, own[name])
  }
  return becomes.size === 0
    ? html
    : html.replace(/#[0-9a-f]{6}\b/gi, (colour) => becomes.get(colour.toLowerCase()) ?? colour)
}

/** MJML writes its directions and sides into everything: they become those of the mail. */
function turnable(html: string): string {
  return html
    .replaceAll(' lang="en" dir="ltr"', ' lang="{{ lang }}" dir="{{ dir }}"')
    .replaceAll('direction:ltr', 'direction:{{ dir }}')
    .replaceAll('text-align:left', 'text-align:{{ start }}')
    .replaceAll('align="left"', 'align="{{ start }}"')
}

async function compile(name: TemplateName, site: Config['site']): Promise<MailTemplate> {
  const mjmlPath = `${folder}${name}.mjml`
  const [mjml, text] = await Promise.all([readFile(mjmlPath, 'utf8'), readFile(`${folder}${name}.txt.liquid`, 'utf8')])
  const html = await renderMjml({ source: mjml, path: mjmlPath })
  // MJML calls the mail an article. As the main landmark it is found where a mail is a page of its own, as in a preview.
  const ours = turnable(recolour(tighten(html), site))
    .replace('role="article"', 'role="main"')
    .replace(' aria-roledescription="email"', '')
  const [head, body] = splitHeaders(text)
  return {
    name,
    subject: filler(engines.text, head.get('Subject') ?? ''),
    preheader: filler(engines.text, head.get('Preheader') ?? ''),
    html: cut(engines.html, ours),
    text: cut(engines.text, body),
  }
}

/** Pieces in the order of the template. A marker takes the line end that follows it along. */
function cut(engine: Liquid, source: string): Map<string, Fill> {
  const parts = source.split(/<!-- piece:([a-z-]+) -->\n?/)
  const pieces = new Map<string, Fill>()
  if (parts[0]!.trim() !== '') pieces.set('open', filler(engine, parts[0]!))
  for (let i = 1; i < parts.length; i += 2) pieces.set(parts[i]!, filler(engine, parts[i + 1]!))
  return pieces
}

function filler(engine: Liquid, source: string): Fill {
  const parsed: LiquidTemplate[] = engine.parse(source)
  return (values) => engine.renderSync(parsed, values) as string
}

/** MJML indents for people. Within one line nothing is touched, so a space between two words or links stays. */
function tighten(html: string): string {
  return `${html
    .replace(/\n\s*/g, '\n')
    .replace(/>\n</g, '><')
    .replace(/\n(?=[>"])/g, '')
    .replace(/\n/g, ' ')
    .replace(/ {2,}/g, ' ')
    .replace(/> (?=\{%|<)|(?<=%\}) (?=<)/g, (match) => match.trim())
    .trim()}\n`
}

function splitHeaders(text: string): [Map<string, string>, string] {
  const end = text.indexOf('\n\n')
  const head = new Map<string, string>()
  for (const line of text.slice(0, end).split('\n')) {
    const colon = line.indexOf(':')
    head.set(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  return [head, text.slice(end + 2)]
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ', ').trim()
}
