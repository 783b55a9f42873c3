// The media and podcast modules of RSS and Atom: labels and pictures, also inside groups.

import { altLength, type Label, mostPictures } from '../entry.ts'
import { cleanSpace } from '../html-text.ts'
import type { Picture } from '../pictures.ts'
import { child, type XmlNode } from '../xml.ts'

export function labelFrom(node: XmlNode): Label {
  const { label, term, text, domain, scheme } = node.attributes
  return { name: node.text.trim() || label || term || text || '', scheme: (domain ?? scheme)?.trim() || null }
}

/** A number is the position of the story, not its subject. */
export function mediaLabels(item: XmlNode): Label[] {
  return labelsIn(item).filter(({ name }) => !/^\s*\d*\s*$/.test(name))
}

function labelsIn(item: XmlNode): Label[] {
  return item.children.flatMap((node): Label[] => {
    if (node.name === 'media:category')
      return [{ ...labelFrom(node), name: node.attributes.label?.trim() || node.text }]
    if (node.name === 'media:keywords')
      return node.text
        .slice(0, 20_000)
        .split(',')
        .map((name) => ({ name, scheme: null }))
    if (node.name === 'itunes:category') return [labelFrom(node), ...labelsIn(node)]
    return node.name === 'media:group' || node.name === 'media:content' ? labelsIn(node) : []
  })
}

/** `media:content` and `media:thumbnail`, in document order. */
export function mediaPictures(item: XmlNode): Picture[] {
  const pictures: Picture[] = []
  const walk = (parent: XmlNode) => {
    for (const node of parent.children) {
      if (pictures.length > mostPictures) return
      const { url, type, medium } = node.attributes
      if (node.name === 'media:content') pictures.push(...pictureFrom(node, url, type || medium))
      else if (node.name === 'media:thumbnail') pictures.push(...pictureFrom(node, url ?? node.text, 'image'))
      if (node.name === 'media:content' || node.name === 'media:group') walk(node)
    }
  }
  walk(item)
  return pictures
}

/** null without an address. */
export function pictureFrom(node: XmlNode, url: string | undefined, type: string | undefined): Picture[] {
  const [width, height] = [node.attributes.width, node.attributes.height].map((size) => {
    const pixels = Number.parseInt(size ?? '', 10)
    return pixels > 0 ? pixels : null
  }) as [number | null, number | null]
  const alt = cleanSpace(child(node, 'media:description')?.text ?? '').slice(0, altLength)
  return url?.trim() ? [{ url: url.trim(), width, height, type: (type ?? '').trim().toLowerCase(), alt }] : []
}
