// Reads everything that pages, feeds, mails and API answers lead to, and says which addresses are wrong: those on a host of ours that
// aren't below its path, and those that don't answer. Each shape of address once: /admin/editions/7 stands for all editions.

export interface Crawled {
  read: string[]
  troubles: string[]
}

export interface CrawlOptions {
  /** Whole addresses. */
  from: readonly string[]
  /** What lies at or below one of these is ours. */
  homes: readonly string[]
  headersFor?(address: string): Record<string, string>
}

/** A form's action read without its fields or by GET (400, 405), and a link that was used (410): somebody is there. */
const answersAll = new Set([400, 405, 410])
const leading = /\b(?:href|src|action|formaction|data-live|data-document)="([^"#]*)/g

export async function crawl({ from, homes, headersFor = () => ({}) }: CrawlOptions): Promise<Crawled> {
  const origins = new Set(homes.map((home) => new URL(home).origin))
  const isBelow = (address: string) =>
    homes.some((home) => address === home || (/^[/?#]/.test(address.slice(home.length)) && address.startsWith(home)))
  const shapes = new Set<string>()
  const troubles = new Set<string>()
  const queue = [...from]
  const read: string[] = []
  const found = (written: string, on: string) => {
    if (!URL.canParse(written, on)) return
    const address = new URL(written, on).href
    if (!origins.has(new URL(address).origin)) return
    // A bare origin on these pages isn't followed: scripts compare it with the origin of a message.
    if (origins.has(written) && /\/embed(?:\.js)?$/.test(on)) return
    if (!isBelow(address)) troubles.add(`${on} leads to ${written}`)
    // The base of the API's paths, which its document names, is no address by itself.
    else if (!address.endsWith('/api/v1')) queue.push(address)
  }
  for (const address of queue) {
    const shape = address
      .replace(/#.*/, '')
      .replace(/=[^&]*/g, '=')
      .replace(/\/gazette\/(\d+\/\d+\/\d+|pictures|category)\/[^/]+/, '/gazette/$1/-')
      .replace(/\/messages\/[^/?.]+/, '/messages/-')
      .replace(/(?<=[/=])\d+/g, '0')
    if (shapes.has(shape)) continue
    shapes.add(shape)
    const answer = await fetch(address, { headers: headersFor(address), redirect: 'manual' })
    read.push(address)
    const type = answer.headers.get('content-type') ?? ''
    if (answer.status >= 400 && !answersAll.has(answer.status)) troubles.add(`${answer.status} at ${address}`)
    const location = answer.headers.get('location')
    if (location) found(location, address)
    if (!/html|xml|json|javascript|css|plain|rfc822/.test(type)) {
      await answer.body?.cancel()
      continue
    }
    // The last is a mail's own bytes: quoted-printable.
    const text = (await answer.text())
      .replaceAll(/&(?:amp|#38);/g, '&')
      .replaceAll(/&(?:quot|#34);/g, '"')
      .replaceAll(/\.eml$|view=source/.test(address) ? /=\r?\n|(?<==)3D/g : /$^/g, '')
    if (type.includes('html')) for (const [, written] of text.matchAll(leading)) if (written) found(written, address)
    // The API's reference reads addresses of examples, too.
    if (!address.includes('/swagger-ui'))
      for (const [written] of text.matchAll(/https?:\/\/[^\s"'<>\\)]+/g)) found(written.replace(/[.,;]+$/, ''), address)
  }
  return { read, troubles: [...troubles] }
}
