// RSS 0.9x to 2.0, RSS 1.0 (RDF) and the dialects of WordPress, FeedBurner and the media modules. The two families differ in where
// the items are, and in what identifies them: guid or rdf:about.

import {
  addressLength,
  type Entry,
  type Label,
  type OfFeed,
  mostPictures,
  type ParsedFeed,
  type Whereabouts,
} from '../entry.ts'
import { readTexts } from '../excerpt.ts'
import { parseFeedDate } from '../feed-date.ts'
import { authorsOf, boundedGuid, labelsOf, namesOf, personName } from '../feed-parts.ts'
import { isWebAddress, resolveLink } from '../links.ts'
import { choosePicture, declaresPicture, type Picture } from '../pictures.ts'
import { plainText } from '../plain-text.ts'
import { titleOf } from '../titles.ts'

import { child, childrenNamed, markupOf, type XmlDocument, type XmlNode } from '../xml.ts'
import { labelFrom, mediaLabels, mediaPictures, pictureFrom } from './media.ts'

export function readRss(document: XmlDocument, whereabouts: Whereabouts): ParsedFeed {
  const { root, source } = document
  const channel = root.name === 'channel' ? root : (child(root, 'channel') ?? root)
  const atomLinks = [...childrenNamed(channel, 'atom:link'), ...childrenNamed(root, 'atom:link')]
  const rel = (name: string) => atomLinks.find((link) => link.attributes.rel === name)?.attributes.href ?? null
  const siteWritten = linkText(channel) ?? rel('alternate')
  const base = documentBase(whereabouts, absolute(rel('self')), absolute(siteWritten), [root, channel])
  const proper = [...itemsOf(root), ...(channel === root ? [] : itemsOf(channel))]
  const items = proper.length ? proper : lostItems(root)
  // In document order, even if some are inside the channel and some next to it.
  items.sort((a, b) => a.from - b.from)
  const title = plainText(child(channel, 'title')?.text ?? '')
  const siteUrl = absolute(resolveLink(siteWritten, base))
  return {
    format: root.name === 'rdf:rdf' ? 'rdf' : 'rss',
    title,
    siteUrl,
    selfUrl: absolute(rel('self')),
    hubUrl: absolute(rel('hub')),
    ttlSeconds: ttlOf(channel),
    entries: items.map((item) =>
      readItem(source, item, base, { feedTitle: title, siteUrl, timezone: whereabouts.timezone ?? null }),
    ),
  }
}

function itemsOf(parent: XmlNode): XmlNode[] {
  const items: XmlNode[] = []
  for (const node of parent.children) {
    // Some feeds write an empty <item/> inside of each. An item with content was never closed before the next began.
    if (node.name === 'item' && (node.children.length > 0 || parent.name !== 'item')) items.push(node, ...itemsOf(node))
    else if (node.name === 'items') items.push(...itemsOf(node))
  }
  return items
}

/** Anywhere below an element of the channel that was never closed. */
function lostItems(parent: XmlNode): XmlNode[] {
  return parent.children.flatMap((node) => (node.name === 'item' ? [node, ...itemsOf(node)] : lostItems(node)))
}

function readItem(document: string, item: XmlNode, outerBase: string | null, feed: OfFeed): Entry {
  const base = rebase(outerBase, item)
  const guidNode = childrenNamed(item, 'guid').find((node) => node.text.trim())
  const guid = (guidNode?.text ?? item.attributes['rdf:about'] ?? item.attributes.about ?? '').trim() || null
  const isPermalink = guidNode?.attributes.ispermalink?.trim().toLowerCase() !== 'false'
  const markup = (name: string) => {
    const nodes = childrenNamed(item, name)
    const node = nodes.find((one) => one.text.trim() || one.children.length) ?? nodes[0]
    return node ? markupOf(document, node) : undefined
  }
  const link =
    resolveLink(child(item, 'feedburner:origlink')?.text, base) ??
    resolveLink(linkText(item), base) ??
    resolveLink(atomAlternate(item), base) ??
    guidLink(guid, isPermalink, guidNode === undefined, base)
  const title = firstOf(['title', 'atom:title', 'dc:title', 'media:title', 'itunes:title'], (name) =>
    titleOf(markup(name) ?? ''),
  )
  const declared = declaredPictures(item)
  const { excerpt, pictures, source, cut } = readTexts(
    [
      markup('description'),
      markup('content:encoded'),
      markup('summary') ?? markup('atom:summary'),
      markup('content') ?? markup('atom:content'),
      markup('xhtml:body') ?? markup('body') ?? markup('fulltext') ?? markup('yandex:full-text'),
      markup('dc:description'),
      markup('media:description'),
      markup('itunes:summary'),
      markup('itunes:subtitle'),
    ].map((written) => (written ? { written } : undefined)),
    { title, link, ...feed },
    { hasPicture: declaresPicture(declared) },
  )
  const picture = choosePicture(declared, pictures, base)
  const labels = labelsOfItem(item)
  return {
    title,
    link,
    guid: boundedGuid(guid),
    publishedAt: firstOf(dateNames, (name) => {
      for (const node of childrenNamed(item, name)) {
        const date = parseFeedDate(markupOf(document, node), feed.timezone)
        if (date) return date
      }
      return null
    }),
    categories: namesOf(labels),
    labels,
    author: authorOf(item),
    source: plainText(child(item, 'source')?.text ?? '') || source,
    excerpt,
    cut,
    image: picture?.url ?? null,
    imageAlt: picture?.alt ?? null,
    imageRatio: picture?.ratio ?? null,
    isImageInText: picture?.isDeclared === false,
    ...(item.isCut ? { isCut: true as const } : {}),
  }
}

const dateNames = [
  'pubdate',
  'dc:date',
  'dcterms:issued',
  'dcterms:created',
  'published',
  'atom:published',
  'dcterms:date',
  'prism:publicationdate',
  'date',
  'updated',
  'atom:updated',
  'dcterms:modified',
  'lastbuilddate',
]

function firstOf<T>(names: readonly string[], read: (name: string) => T | null): T | null {
  for (const name of names) {
    const value = read(name)
    if (value !== null) return value
  }
  return null
}

/** `<link>`, which some feeds write as in Atom, with an href. */
function linkText(node: XmlNode): string | null {
  for (const link of childrenNamed(node, 'link')) {
    const rel = link.attributes.rel
    const written = link.text.trim() || (!rel || rel === 'alternate' ? link.attributes.href?.trim() : '')
    if (written) return written
  }
  return child(node, 'url')?.text.trim() || null
}

function atomAlternate(item: XmlNode): string | undefined {
  const links = childrenNamed(item, 'atom:link')
  return links.find((link) => !link.attributes.rel || link.attributes.rel === 'alternate')?.attributes.href
}

/**
 * A guid with isPermaLink is a link. One without is used if it is an address and there is no other (WordPress's `?p=`, which leads
 * to the story). rdf:about is the item's page.
 */
function guidLink(guid: string | null, isPermalink: boolean, isAbout: boolean, base: string | null): string | null {
  if (!guid) return null
  if (isWebAddress(guid)) return resolveLink(guid, base)
  return isPermalink && !isAbout && /^[./?]\S+$/.test(guid) ? resolveLink(guid, base) : null
}

function labelsOfItem(item: XmlNode): Label[] {
  const named = (name: string) => childrenNamed(item, name).map((node) => labelFrom(node))
  const own = named('category').filter(({ name }) => name)
  return labelsOf(own.length ? own : [...named('dc:subject'), ...named('atom:category')], mediaLabels(item))
}

function authorOf(item: XmlNode): string | null {
  const creators = [...childrenNamed(item, 'dc:creator'), ...childrenNamed(item, 'creator')]
  const names = authorsOf(creators.map((node) => plainText(node.text)))
  if (names) return names
  for (const name of ['author', 'itunes:author', 'atom:author', 'media:credit']) {
    for (const node of childrenNamed(item, name)) {
      const person = child(node, 'name') ?? child(node, 'atom:name')
      const found = personName(plainText(person?.text ?? node.text))
      if (found) return authorsOf([found])
    }
  }
  return null
}

function declaredPictures(item: XmlNode): Picture[] {
  const pictures = mediaPictures(item)
  for (const node of item.children) {
    if (pictures.length > mostPictures) break
    const { url, href, rel, type, medium } = node.attributes
    if (node.name === 'enclosure') pictures.push(...pictureFrom(node, url, type || medium))
    else if (node.name === 'itunes:image') pictures.push(...pictureFrom(node, href ?? node.text, 'image'))
    else if (node.name === 'image' || node.name === 'thumbnail' || node.name === 'featuredimage')
      pictures.push(...pictureFrom(node, child(node, 'url')?.text ?? url ?? href ?? node.text, 'image'))
    else if ((node.name === 'atom:link' || node.name === 'link') && rel === 'enclosure')
      pictures.push(...pictureFrom(node, href, type))
  }
  return pictures
}

function ttlOf(channel: XmlNode): number | null {
  const minutes = Number(child(channel, 'ttl')?.text.trim() || Number.NaN)
  return minutes > 0 && minutes < 100_000 ? minutes * 60 : null
}

/**
 * The base of relative addresses: xml:base if there is one, otherwise the declared base, otherwise the feed's own absolute
 * address, otherwise the site's, otherwise where it was found.
 */
export function documentBase(
  whereabouts: Whereabouts,
  self: string | null,
  site: string | null,
  nodes: readonly XmlNode[],
): string | null {
  const isProxied = self !== null && /feedburner|feedproxy|feedpress|feedblitz/i.test(new URL(self).hostname)
  const own = isProxied ? (site ?? self) : (self ?? site)
  return nodes.reduce<string | null>(rebase, whereabouts.base ?? own ?? whereabouts.location ?? null)
}

export function rebase(base: string | null, node: XmlNode): string | null {
  const written = node.attributes['xml:base']?.trim()
  if (!written || written.length > addressLength) return base
  const url = URL.parse(written, base ?? undefined)
  return url && /^https?:$/.test(url.protocol) ? url.href : base
}

export function absolute(url: string | null | undefined): string | null {
  const trimmed = url?.trim()
  return trimmed && trimmed.length <= addressLength && isWebAddress(trimmed) ? trimmed : null
}
