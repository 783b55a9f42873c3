// Parses feed documents into a small tree, leniently and within limits. Names are lower case with a canonical prefix by namespace
// (`dc:date`, `media:content`; none for the feed's own elements), whatever prefix the document uses.
//
// A document that could take more time or memory than its size allows is refused while it is read.
//
// Internal DTDs aren't parsed as XML. Their plain entities are expanded. A document with entities that could grow (nested, long or
// external) is refused, which prevents entity bombs.

import { Parser } from 'htmlparser2'
import { withClosedTitles } from './xml-titles.ts'

export interface XmlNode {
  name: string
  attributes: Record<string, string>
  /** All text inside, in order, decoded once. */
  text: string
  children: XmlNode[]
  /** The position of the content in the document, for markup that was written without escaping. */
  from: number
  to: number
  /** The document ended inside it. */
  isCut?: true
}

export interface XmlDocument {
  source: string
  root: XmlNode
}

/** Why a document is refused: a sentence for editors. */
export class FeedRefused extends Error {
  override name = 'FeedRefused'
}

const deepest = 100
const mostNodes = 300_000
const mostPrefixes = 200
const mostAttributes = 1_000
const mostAttributesInAll = 500_000
/** The most characters that the document's own entities may expand to. */
const mostExpanded = 1_000_000
export const mostItems = 10_000

/** Elements that only contain elements: the text between is white space or noise. */
const containers = new Set(['rss', 'rdf:rdf', 'feed', 'channel', 'item', 'entry', 'media:group', 'items'])
const itemNames = new Set(['item', 'entry'])

/** Parses from the first known root element to its end; `null` if there is none. Throws FeedRefused beyond the limits. */
export function parseXml(text: string): XmlDocument | { root: null; firstElement: string | null } {
  const { source, entities } = takeDoctype(withClosedTitles(text))
  let root: XmlNode | null = null
  let firstElement: string | null = null
  let hasEnded = false
  let isRootClosed = false
  let nodes = 0
  let items = 0
  // Counts all elements, also before and after the feed's: the parser's time grows with the square of the depth.
  let depth = 0
  let attributesHere = 0
  let attributesInAll = 0
  const budget = { left: mostExpanded }
  const stack: XmlNode[] = []
  const scopes: Scope[] = []
  const parser: Parser = new Parser(
    {
      onopentagname() {
        attributesHere = 0
      },
      onattribute() {
        if (++attributesHere > mostAttributes)
          throw new FeedRefused(`One of its elements has more than ${mostAttributes} attributes.`)
        if (++attributesInAll > mostAttributesInAll)
          throw new FeedRefused(`It has more than ${mostAttributesInAll} attributes.`)
      },
      onopentag(rawName, attributes) {
        if (++depth > deepest) throw new FeedRefused(`Its elements are nested more than ${deepest} deep.`)
        if (isRootClosed) return
        firstElement ??= rawName
        if (++nodes > mostNodes) throw new FeedRefused(`It has more than ${mostNodes} elements.`)
        const parent = stack.at(-1)
        const scope = enterScope(scopes.at(-1), rawName, attributes, stack.length)
        const name = canonicalName(rawName, scope)
        if (!root && !isRoot(name)) return
        if (itemNames.has(name) && ++items > mostItems) throw new FeedRefused(`It has more than ${mostItems} entries.`)
        const node: XmlNode = { name, attributes, text: '', children: [], from: parser.endIndex + 1, to: -1 }
        root ??= node
        parent?.children.push(node)
        stack.push(node)
        scopes.push(scope)
      },
      ontext(data) {
        const node = stack.at(-1)
        if (node && !containers.has(node.name)) node.text += data
      },
      onclosetag(_, isImplied) {
        depth--
        if (!root || isRootClosed) return
        const node = stack.pop()
        scopes.pop()
        if (!node) return
        // The document was cut off: elements that were open at the cut may be incomplete.
        if (hasEnded && isImplied) {
          if (containers.has(node.name)) node.isCut = true
          else stack.at(-1)?.children.pop()
        }
        node.to = Math.max(node.from, parser.startIndex)
        if (entities.size) node.text = expand(node.text, entities, budget)
        const parent = stack.at(-1)
        if (parent && node.text && !containers.has(parent.name)) parent.text += node.text
        if (!parent) isRootClosed = true
      },
    },
    { xmlMode: true, decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  )
  parser.write(source)
  hasEnded = true
  parser.end()
  return root ? { source, root } : { root, firstElement }
}

export function child(node: XmlNode, name: string): XmlNode | undefined {
  return node.children.find((one) => one.name === name)
}

export function childrenNamed(node: XmlNode, name: string): XmlNode[] {
  return node.children.filter((one) => one.name === name)
}

/** The markup inside: as written between the tags if there are elements, otherwise the decoded text. */
export function markupOf(source: string, node: XmlNode): string {
  return node.children.length ? source.slice(node.from, node.to) : node.text
}

function isRoot(name: string): boolean {
  return name === 'rss' || name === 'rdf:rdf' || name === 'feed' || name === 'channel'
}

interface Scope {
  /** Namespace prefix → canonical prefix, of the namespaces declared here; null: none. */
  own: ReadonlyMap<string, string> | null
  outer: Scope | null
  /** Number of namespaces declared here and in outer elements. */
  declared: number
  isAtom: boolean
}

const noScope: Scope = { own: null, outer: null, declared: 0, isAtom: false }

const canonical: readonly (readonly [RegExp, string])[] = [
  [/^https?:\/\/www\.w3\.org\/2005\/atom/, 'atom'],
  [/^https?:\/\/purl\.org\/atom\//, 'atom'],
  [/^https?:\/\/purl\.org\/rss\/1\.0\/modules\/content/, 'content'],
  [/^https?:\/\/purl\.org\/rss\/1\.0\/modules\/syndication/, 'sy'],
  [/^https?:\/\/purl\.org\/rss\/1\.0\/?$/, ''],
  [/^https?:\/\/(my|channel)\.netscape\.com\/rdf\/simple\//, ''],
  [/^https?:\/\/(backend\.userland\.com|blogs\.law\.harvard\.edu|cyber\.law\.harvard\.edu)\//, ''],
  [/^https?:\/\/www\.w3\.org\/1999\/02\/22-rdf-syntax-ns/, 'rdf'],
  [/^https?:\/\/(www\.)?purl\.org\/dc\/elements\//, 'dc'],
  [/^https?:\/\/(www\.)?purl\.org\/dc\/terms/, 'dcterms'],
  [/^https?:\/\/search\.yahoo\.com\/mrss/, 'media'],
  [
    /^https?:\/\/(tools\.search|api\.search|www\.rssboard|video\.search)\.?(yahoo)?\.(com|org)\/media?-?r?s?s?/,
    'media',
  ],
  [/^https?:\/\/rssnamespace\.org\/feedburner/, 'feedburner'],
  [/^https?:\/\/www\.itunes\.com\/dtds\/podcast/, 'itunes'],
  [/^https?:\/\/www\.w3\.org\/1999\/xhtml/, 'xhtml'],
  [/^https?:\/\/www\.w3\.org\/2000\/svg/, 'svg'],
]

function canonicalPrefix(uri: string): string | undefined {
  if (uri.length > 200) return undefined
  const lower = uri.trim().toLowerCase()
  return canonical.find(([pattern]) => pattern.test(lower))?.[1]
}

function enterScope(outer: Scope = noScope, name: string, attributes: Record<string, string>, depth: number): Scope {
  let own: Map<string, string> | null = null
  for (const attribute in attributes) {
    if (!attribute.startsWith('xmlns')) continue
    own ??= new Map()
    if (outer.declared + own.size > mostPrefixes)
      throw new FeedRefused(`It names more than ${mostPrefixes} namespaces.`)
    const uri = attributes[attribute]!
    if (attribute.startsWith('xmlns:')) {
      const prefix = attribute.slice(6)
      own.set(prefix, canonicalPrefix(uri) ?? prefix)
    } else if (depth > 0) {
      // The root's own namespace is the feed's, whatever its name. Further down, a foreign namespace is foreign.
      own.set('', canonicalPrefix(uri) ?? (uri.trim() ? 'foreign' : ''))
    } else own.set('', '')
  }
  const isAtom = outer.isAtom || (depth === 0 && /^(\w+:)?feed$/.test(name))
  if (!own && isAtom === outer.isAtom) return outer
  return { own, outer, declared: outer.declared + (own?.size ?? 0), isAtom }
}

function prefixIn(scope: Scope, written: string): string {
  for (let at: Scope | null = scope; at; at = at.outer) {
    const prefix = at.own?.get(written)
    if (prefix !== undefined) return prefix
  }
  return written
}

function canonicalName(rawName: string, scope: Scope): string {
  const colon = rawName.indexOf(':')
  const written = colon < 0 ? '' : rawName.slice(0, colon)
  const local = colon < 0 ? rawName : rawName.slice(colon + 1)
  let prefix = prefixIn(scope, written)
  // Some feeds name RSS's own elements <rss:item>, although RSS has no namespace.
  if (prefix === 'rss' || (prefix === 'atom' && scope.isAtom)) prefix = ''
  return prefix ? `${prefix}:${local}` : local
}

/** Removes the DOCTYPE (htmlparser2 would stop at the first `>` inside it) and keeps its plain entities. */
function takeDoctype(text: string): { source: string; entities: Map<string, string> } {
  const entities = new Map<string, string>()
  const start = text.slice(0, 4096).search(/<!DOCTYPE/i)
  if (start < 0) return { source: text, entities }
  let at = start + 9
  let quote = ''
  let isInside = false
  for (; at < text.length; at++) {
    const char = text[at]!
    if (quote) {
      if (char === quote) quote = ''
    } else if (text.startsWith('<!--', at)) {
      const end = text.indexOf('-->', at)
      if (end < 0) break
      at = end + 2
    } else if (char === '"' || (char === "'" && isInside)) quote = char
    else if (char === '[') isInside = true
    else if (char === ']') isInside = false
    else if (char === '>' && !isInside) break
    if (at - start > 200_000) throw new FeedRefused('Its document type declaration is longer than 200 kB.')
  }
  const doctype = text.slice(start, at + 1)
  for (const [, name, quoted] of doctype.matchAll(/<!ENTITY\s+([\w.:-]+)\s+("[^"]*"|'[^']*'|SYSTEM|PUBLIC)/g)) {
    if (quoted === 'SYSTEM' || quoted === 'PUBLIC') throw new FeedRefused(`It declares the external entity ${name}.`)
    const value = quoted!.slice(1, -1)
    if (value.length > 200 || /&(?!#|(amp|lt|gt|quot|apos);)/.test(value))
      throw new FeedRefused(`It declares the entity ${name}, which expands to more than a character or a word.`)
    entities.set(name!, decodeNumeric(value))
  }
  return { source: text.slice(0, start) + text.slice(at + 1), entities }
}

function decodeNumeric(value: string): string {
  return value.replace(/&#(?:x([\da-f]{1,6})|(\d{1,7}));/gi, (all, hex, decimal) => {
    const code = hex ? parseInt(hex, 16) : Number(decimal)
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : all
  })
}

function expand(text: string, entities: Map<string, string>, budget: { left: number }): string {
  if (!text.includes('&')) return text
  return text.replace(/&([\w.:-]+);/g, (all, name) => {
    const value = entities.get(name)
    if ((budget.left -= value?.length ?? 0) < 0)
      throw new FeedRefused(`Its entities expand to more than ${mostExpanded} characters.`)
    return value ?? all
  })
}
