// Feed lists of other programs: OPML. Its folders become categories. Pure; limited in size.

import { Parser } from 'htmlparser2'
import { cleanSpace } from './html-text.ts'
import { FeedRefused } from './xml.ts'

export interface ListedFeed {
  url: string
  title: string
  /** Its folder, or the categories that it names itself. */
  categories: string[]
}

const deepest = 50
const mostOutlines = 5_000
const nameLength = 80

/** In document order, including repeated ones. A string: a sentence why it isn't a feed list. */
export function readOpml(text: string): ListedFeed[] | string {
  const feeds: ListedFeed[] = []
  /** For each open element the folder's name; null: it isn't a folder. */
  const open: (string | null)[] = []
  let isOpml = false
  let outlines = 0
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (open.length >= deepest) throw new FeedRefused(`Its folders are nested more than ${deepest} deep.`)
        if (name === 'opml') isOpml = true
        if (name !== 'outline' || !isOpml) return void open.push(null)
        if (++outlines > mostOutlines) throw new FeedRefused(`It has more than ${mostOutlines} entries.`)
        const { xmlurl, category = '' } = attributes
        const title = nameOf(attributes.text || attributes.title)
        if (!xmlurl?.trim()) return void open.push(title || null)
        const folder = open.findLast((one) => one !== null)
        const own = category
          .slice(0, 2000)
          .split(',')
          .map((path) => nameOf(path.split('/').findLast((part) => part.trim())))
        feeds.push({ url: xmlurl.trim().slice(0, 2000), title, categories: folder ? [folder] : own.filter(Boolean) })
        open.push(null)
      },
      onclosetag: () => void open.pop(),
    },
    { xmlMode: true, decodeEntities: true, lowerCaseTags: true, lowerCaseAttributeNames: true },
  )
  parser.write(text)
  parser.end()
  if (!isOpml) return 'It is no OPML file: it has no <opml> in it.'
  return feeds.length > 0 ? feeds : 'It is an OPML file without feeds.'
}

function nameOf(written: string | undefined): string {
  const clean = cleanSpace((written ?? '').slice(0, 1000).replace(/[<>\p{Cc}]/gu, ' '))
  return [...clean].slice(0, nameLength).join('').trim()
}
