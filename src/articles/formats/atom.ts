// Atom 1.0 and 0.3. The same elements but for the dates (issued, modified) and the content's mode.

import { type Entry, mostLabels, mostPictures, type ParsedFeed, type Whereabouts } from '../entry.ts'
import { parseFeedDate } from '../feed-date.ts'
import {
  authorsOf,
  boundedGuid,
  choosePicture,
  isWebAddress,
  labelOf,
  personName,
  type Picture,
  readTexts,
  resolveLink,
  titleOf,
} from '../feed-parts.ts'
import { plainText } from '../html-text.ts'
import { child, childrenNamed, markupOf, type XmlDocument, type XmlNode } from '../xml.ts'
import { absolute, documentBase, rebase } from './rss.ts'

export function readAtom(document: XmlDocument, whereabouts: Whereabouts): ParsedFeed {
  const { root, source } = document
  const rel = (name: string) =>
    childrenNamed(root, 'link').find((link) => link.attributes.rel === name)?.attributes.href
  const site = alternate(root)
  const base = documentBase(whereabouts, absolute(rel('self')), absolute(site), [root])
  return {
    format: 'atom',
    title: plainText(child(root, 'title')?.text ?? ''),
    siteUrl: absolute(resolveLink(site, base)),
    selfUrl: absolute(rel('self')),
    hubUrl: absolute(rel('hub')),
    ttlSeconds: null,
    entries: childrenNamed(root, 'entry').map((entry) => readEntry(source, entry, base)),
  }
}

function readEntry(source: string, entry: XmlNode, outerBase: string | null): Entry {
  const base = rebase(outerBase, entry)
  const markup = (name: string) => {
    const node = child(entry, name)
    if (!node) return undefined
    if (isBase64(node)) return Buffer.from(node.text, 'base64').toString('utf8').replaceAll('\0', '')
    // Inside content of another type (a picture, XML) there is nothing to read.
    if (name !== 'title' && /^(?!text|html|xhtml|application\/xhtml)\w+\//.test(node.attributes.type ?? ''))
      return undefined
    const html = markupOf(source, node)
    // type="text": a < in it is a character, not a tag.
    return node.attributes.type === 'text' && !node.children.length ? html.replaceAll('<', '&lt;') : html
  }
  const guid = child(entry, 'id')?.text.trim() || null
  const group = child(entry, 'media:group')
  const { excerpt, pictures } = readTexts([
    markup('summary'),
    markup('content'),
    markup('dc:description'),
    group && child(group, 'media:description')?.text,
    child(entry, 'media:description')?.text,
  ])
  const contentBase = child(entry, 'content') ? rebase(base, child(entry, 'content')!) : base
  return {
    title:
      titleOf(markup('title') ?? '') ??
      titleOf(child(entry, 'dc:title')?.text ?? '') ??
      titleOf((child(entry, 'media:title') ?? (group && child(group, 'media:title')))?.text ?? ''),
    link:
      resolveLink(child(entry, 'feedburner:origlink')?.text, base) ??
      resolveLink(alternate(entry), base) ??
      resolveLink(contentSource(entry), base) ??
      (guid && isWebAddress(guid) ? resolveLink(guid, base) : null) ??
      firstOfRels(entry, ['self', 'related', 'via'], base),
    guid: boundedGuid(guid),
    publishedAt: dateOf(source, entry),
    categories: childrenNamed(entry, 'category')
      .slice(0, mostLabels)
      .map((node) => labelOf(node.attributes.label?.trim() || node.attributes.term?.trim() || node.text))
      .concat(
        childrenNamed(entry, 'category').length
          ? []
          : childrenNamed(entry, 'dc:subject')
              .slice(0, mostLabels)
              .map((node) => labelOf(node.text)),
      )
      .filter(Boolean),
    author: authorOf(entry) ?? authorOf(child(entry, 'source')),
    excerpt,
    image: choosePicture(declaredPictures(entry), pictures, contentBase),
    ...(entry.isCut ? { isCut: true as const } : {}),
  }
}

function dateOf(source: string, entry: XmlNode): Date | null {
  for (const name of ['published', 'issued', 'created', 'dc:date', 'pubdate', 'updated', 'modified'])
    for (const node of childrenNamed(entry, name)) {
      const date = parseFeedDate(markupOf(source, node))
      if (date) return date
    }
  return null
}

/** The page for people: rel="alternate" or none, the first that is said to be HTML, else one that doesn't say, else any. */
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

/** Better than none, where an entry has no page of its own. */
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

/** Atom 0.3 could, in two ways. */
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
  const pictures: Picture[] = []
  const add = (url: string | undefined, node: XmlNode, type: string | undefined) => {
    const width = Number.parseInt(node.attributes.width ?? '', 10)
    if (url?.trim())
      pictures.push({ url: url.trim(), width: width > 0 ? width : null, type: (type ?? '').toLowerCase() })
  }
  const walk = (parent: XmlNode) => {
    for (const node of parent.children) {
      if (pictures.length > mostPictures) break
      if (node.name === 'media:thumbnail') add(node.attributes.url, node, 'image')
      else if (node.name === 'media:content') {
        add(node.attributes.url, node, node.attributes.type || node.attributes.medium)
        walk(node)
      } else if (node.name === 'media:group') walk(node)
      else if (node.name === 'link' && /^(?:enclosure|image|image_src)$/.test(node.attributes.rel ?? ''))
        add(node.attributes.href, node, node.attributes.type)
      else if (node.name === 'enclosure') add(node.attributes.url, node, node.attributes.type)
    }
  }
  walk(entry)
  return pictures
}
