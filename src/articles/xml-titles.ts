// Titles that contain a `<` which begins no tag, in documents that aren't valid XML.

/** `n<b for all</title>`: as a tag, that `<` would swallow the title's end and the text after it. */
export function withClosedTitles(text: string): string {
  const end = '</title>'
  let escaped = ''
  let done = 0
  let last = 0
  for (let at = text.indexOf(end); at >= 0; at = text.indexOf(end, last)) {
    const from = Math.max(last, at - longestTitle)
    last = at + end.length
    const near = text.slice(from, at)
    const tag = near.lastIndexOf('<title')
    const start = tag < 0 ? 0 : near.indexOf('>', tag) + 1
    if (start === 0 || near.indexOf('<', start) < 0 || near.includes('<![CDATA[', start)) continue
    escaped += `${text.slice(done, from + start)}${near.slice(start).replace(/<(?![a-z/!?][^<>]*>)/gi, '&lt;')}`
    done = at
  }
  return done ? escaped + text.slice(done) : text
}

/** The longest title that is searched for such a `<`. */
const longestTitle = 2000
