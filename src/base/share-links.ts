// Links that share a story or an edition: plain links to the networks that the site chooses (SHARE_LINKS), for pages and mails. No
// script, no picture and no identifier: a network learns of a reader only if the reader follows its link. Pure.

export const shareNetworks = [
  'mail',
  'facebook',
  'x',
  'linkedin',
  'whatsapp',
  'bluesky',
  'threads',
  'telegram',
  'reddit',
] as const
export type ShareNetwork = (typeof shareNetworks)[number]

export interface ShareLink {
  network: ShareNetwork
  /** The text of the link. */
  name: string
  url: string
}

/** `title` is text, `url` the page to share. */
export interface Shared {
  title: string
  url: string
}

const networks: Record<ShareNetwork, { name: string; link: (shared: Shared) => string }> = {
  // RFC 6068: line ends as %0D%0A, and a space is never a plus.
  mail: { name: 'Mail', link: ({ title, url }) => `mailto:?subject=${part(title)}&body=${part(`${title}\r\n${url}`)}` },
  facebook: { name: 'Facebook', link: ({ url }) => `https://www.facebook.com/sharer/sharer.php?u=${part(url)}` },
  x: { name: 'X', link: ({ title, url }) => `https://x.com/intent/post?text=${part(title)}&url=${part(url)}` },
  linkedin: {
    name: 'LinkedIn',
    link: ({ url }) => `https://www.linkedin.com/sharing/share-offsite/?url=${part(url)}`,
  },
  whatsapp: { name: 'WhatsApp', link: ({ title, url }) => `https://wa.me/?text=${part(`${title} ${url}`)}` },
  bluesky: {
    name: 'Bluesky',
    link: ({ title, url }) => `https://bsky.app/intent/compose?text=${part(`${title} ${url}`)}`,
  },
  threads: {
    name: 'Threads',
    link: ({ title, url }) => `https://www.threads.net/intent/post?text=${part(`${title} ${url}`)}`,
  },
  telegram: {
    name: 'Telegram',
    link: ({ title, url }) => `https://t.me/share/url?url=${part(url)}&text=${part(title)}`,
  },
  reddit: {
    name: 'Reddit',
    link: ({ title, url }) => `https://www.reddit.com/submit?url=${part(url)}&title=${part(title)}`,
  },
}

/** In the order of `chosen` (config.site.shareLinks). */
export function shareLinks(chosen: readonly ShareNetwork[], shared: Shared): ShareLink[] {
  return chosen.map((network) => ({ network, name: networks[network].name, url: networks[network].link(shared) }))
}

/** A title may contain half of a surrogate pair, which encodeURIComponent refuses. */
function part(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
