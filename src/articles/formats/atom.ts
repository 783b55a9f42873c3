// Atom 1.0 and 0.3. They have the same elements except for the dates (issued, modified) and the content's mode.

import { type Entry, type Label, mostPictures, type OfFeed, type ParsedFeed, type Whereabouts } from '../entry.ts'
import { readTexts, type WrittenText } from '../excerpt.ts'
import { parseFeedDate } from '../feed-date.ts'
import { authorsOf, boundedGuid, labelsOf, personName } from '../feed-parts.ts'
import { isWebAddress, resolveLink } from '../links.ts'
import { choosePicture, declaresPicture, type Picture } from '../pictures.ts'
import { plainText } from '../plain-text.ts'
import { titleOf, titleOfText } from '../titles.ts'
import { child, childrenNamed, markupOf, type XmlDocument, type XmlNode } from '../xml.ts'
import { mediaLabels, mediaPictures, pictureFrom } from './media.ts'
import { absolute, documentBase, rebase } from './rss.ts'

export function readAtom(document: XmlDocument, whereabouts: Whereabouts): ParsedFeed {
  const { root, source } = document
  const rel = (name: string) =>
    childrenNamed(root, 'link').find((link) => link.attributes.rel === name)?.attributes.href
  const site = alternate(root)
  const base = documentBase(whereabouts, absolute(rel('self')), absolute(site), [root])
  const title = plainText(child(root, 'title')?.text ?? '')
  const siteUrl = absolute(resolveLink(site, base))
  return {
    format: 'atom',
    title,
    siteUrl,
    selfUrl: absolute(rel('self')),
    hubUrl: absolute(rel('hub')),
    ttlSeconds: null,
    entries: childrenNamed(root, 'entry').map((entry) =>
      readEntry(source, entry, base, { feedTitle: title, siteUrl, timezone: whereabouts.timezone ?? null }),
    ),
  }
}

function readEntry(document: string, entry: XmlNode, outerBase: string | null, feed: OfFeed): Entry {
  const base = rebase(outerBase, entry)
  const guid = child(entry, 'id')?.text.trim() || null
  const group = child(entry, 'media:group')
  const link =
    resolveLink(child(entry, 'feedburner:origlink')?.text, base) ??
    resolveLink(alternate(entry), base) ??
    resolveLink(contentSource(entry), base) ??
    (guid && isWebAddress(guid) ? resolveLink(guid, base) : null) ??
    firstOfRels(entry, ['self', 'related', 'via'], base)
  const title =
    titleFrom(document, child(entry, 'title')) ??
    titleOf(child(entry, 'dc:title')?.text ?? '') ??
    titleOf((child(entry, 'media:title') ?? (group && child(group, 'media:title')))?.text ?? '')
  const declared = declaredPictures(entry)
  const {
    excerpt,
    pictures,
    source: site,
    cut,
  } = readTexts(
    [
      ...['summary', 'content', 'dc:description'].map((name) => textFrom(document, child(entry, name))),
      ...[group && child(group, 'media:description'), child(entry, 'media:description')].map(
        (node) => node && { written: node.text },
      ),
    ],
    { title, link, ...feed },
    { hasPicture: declaresPicture(declared) },
  )
  const origin = child(entry, 'source')
  const contentBase = child(entry, 'content') ? rebase(base, child(entry, 'content')!) : base
  const picture = choosePicture(declared, pictures, contentBase)
  const { categories, labels } = labelsOfEntry(entry)
  return {
    title,
    link,
    guid: boundedGuid(guid),
    publishedAt: dateOf(document, entry, feed.timezone),
    categories,
    labels,
    author: authorOf(entry) ?? authorOf(origin),
    source: plainText((origin && child(origin, 'title')?.text) ?? '') || site,
    excerpt,
    cut,
    image: picture?.url ?? null,
    imageAlt: picture?.alt ?? null,
    imageRatio: picture?.ratio ?? null,
    isImageInText: picture?.isDeclared === false,
    ...(entry.isCut ? { isCut: true as const } : {}),
  }
}

/** Text, unless the type says otherwise. Atom 0.3 allowed escaped HTML without a type. */
function titleFrom(document: string, node: XmlNode | undefined): string | null {
  if (!node) return null
  if (isBase64(node)) return titleOf(decodedBase64(node))
  const { type = 'text', mode } = node.attributes
  const isText = /^text(?:\/plain)?$/i.test(type.trim()) && !node.children.length && mode !== 'escaped'
  return isText ? titleOfText(node.text) : titleOf(markupOf(document, node))
}

function textFrom(document: string, node: XmlNode | undefined): WrittenText | undefined {
  if (!node) return undefined
  if (isBase64(node)) return { written: decodedBase64(node) }
  const { type = '' } = node.attributes
  // Content of another type (a picture, XML) has no readable text.
  if (/^(?!text|html|xhtml|application\/xhtml)\w+\//.test(type)) return undefined
  return { written: markupOf(document, node), isText: type === 'text' && !node.children.length }
}

function decodedBase64(node: XmlNode): string {
  return Buffer.from(node.text, 'base64').toString('utf8').replaceAll('\0', '')
}

/** A category is shown by its label. It is matched by its term too. */
function labelsOfEntry(entry: XmlNode): { categories: string[]; labels: Label[] } {
  const nodes = childrenNamed(entry, 'category')
  const shown = labelsOf(
    nodes.length
      ? nodes.map(({ attributes, text }) => ({
          name: attributes.label?.trim() || attributes.term?.trim() || text,
          scheme: attributes.scheme?.trim() || null,
        }))
      : childrenNamed(entry, 'dc:subject').map(({ text }) => ({ name: text, scheme: null })),
    mediaLabels(entry),
  )
  const terms = nodes.map(({ attributes }) => ({
    name: attributes.term ?? '',
    scheme: attributes.scheme?.trim() || null,
  }))
  return { categories: shown.map(({ name }) => name), labels: labelsOf(shown, terms) }
}

function dateOf(source: string, entry: XmlNode, timezone: string | null): Date | null {
  for (const name of ['published', 'issued', 'created', 'dc:date', 'pubdate', 'updated', 'modified'])
    for (const node of childrenNamed(entry, name)) {
      const date = parseFeedDate(markupOf(source, node), timezone)
      if (date) return date
    }
  return null
}

/** The page for people: rel="alternate" or none. The first with type HTML, otherwise one without a type, otherwise any. */
function alternate(node: XmlNode): string | undefined {
  const links = childrenNamed(node, 'link').filter((link) => {
    const rel = link.attributes.rel?.trim().toLowerCase()
    return !rel || rel === 'alternate' || rel === 'http://www.iana.org/assignments/relation/alternate'
  })
  const best =
    links.find((link) => /html/.test(link.attributes.type ?? '')) ??
    links.find((link) => !link.attributes.type) ??
    links[0]
  return best?.attributes.href?.trim() || best?.text.trim() || undefined
}

/** Used if an entry has no page of its own. */
function firstOfRels(entry: XmlNode, rels: readonly string[], base: string | null): string | null {
  for (const rel of rels)
    for (const link of childrenNamed(entry, 'link')) {
      const url = link.attributes.rel === rel ? resolveLink(link.attributes.href, base) : null
      if (url) return url
    }
  return null
}

function contentSource(entry: XmlNode): string | undefined {
  const { src, type } = child(entry, 'content')?.attributes ?? {}
  return /^(?:audio|video|image)\//.test(type ?? '') ? undefined : src
}

/** Atom 0.3 allowed it, in two ways. */
function isBase64(node: XmlNode): boolean {
  return (
    node.attributes.mode === 'base64' || (node.attributes.type === 'application/octet-stream' && !node.children.length)
  )
}

function authorOf(node: XmlNode | undefined): string | null {
  if (!node) return null
  const names = childrenNamed(node, 'author').map((author) => plainText((child(author, 'name') ?? author).text))
  return (
    authorsOf(names.map((name) => personName(name) ?? '')) ??
    authorsOf([plainText(child(node, 'dc:creator')?.text ?? '')])
  )
}

function declaredPictures(entry: XmlNode): Picture[] {
  const pictures = mediaPictures(entry)
  for (const node of entry.children) {
    if (pictures.length > mostPictures) break
    const { rel = '', href, url, type } = node.attributes
    if (node.name === 'link' && /^(?:enclosure|image|image_src)$/.test(rel))
      pictures.push(...pictureFrom(node, href, type))
    else if (node.name === 'enclosure') pictures.push(...pictureFrom(node, url, type))
  }
  return pictures
}
