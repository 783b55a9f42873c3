// /about, /contact, /privacy, /terms and /disclaimer: what this program can say truly of any newsletter that it sends. Where the site
// has a page of its own (ABOUT_URL, …), footers lead there, and ours does nothing but lead there too: two texts could contradict
// each other.

import type { RequestHandler } from 'express'
import { addressOf } from '../../base/addresses.ts'
import type { Config } from '../../base/config.ts'
import { siteLinks, type SiteLinkKey } from '../../base/site-links.ts'
import { html, type Html, safeUrl, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'

interface Text {
  title: string
  /** What the page is about, as text: its description too. */
  deck: string
  rest: Html
}

export function showOwnPage({ config }: WebContext, key: SiteLinkKey): RequestHandler {
  const { name, url } = siteLinks(config).find((link) => link.key === key)!
  const path = `/${key}`
  const isOurs = url === addressOf(config, path)
  const { title, deck, rest } = isOurs
    ? texts[key](config)
    : {
        title: name,
        deck: `${config.site.name} has a page of its own about this.`,
        rest: html`<p><a href="${safeUrl(url)}">${url.replace(/^mailto:/i, '')}</a></p>`,
      }
  return (_request, response) => {
    sendPage(response, config, {
      title,
      kind: 'page',
      face: { path, description: deck },
      body: html`<h1>${title}</h1>
        <p class="deck">${deck}</p>
        ${rest}`,
    })
  }
}

const texts: Record<SiteLinkKey, (config: Config) => Text> = {
  about: ({ site }) => ({
    title: 'About',
    deck: `This is the newsletter of ${site.name}.`,
    rest: html`<p>${site.tagline}</p>
      <p>
        Subscribers choose categories, and for each one whether it comes daily, weekly or monthly. They get one mail
        with the new stories of their categories, and no story twice. The stories themselves are on
        <a href="${site.url}">${site.name}</a>.
      </p>
      <p>
        <a href="${to('/#subscribe')}">Subscribe</a>, or read <a href="${to('/archive')}">what was sent before</a>. It
        is free, and you can stop it at any time.
      </p>`,
  }),
  contact: ({ site, mail }) => {
    const { address } = mail.replyTo ?? mail.from
    return {
      title: 'Contact',
      deck: `How to reach ${site.name} about its newsletter.`,
      rest: html`<p>By mail: <a href="mailto:${address}">${address}</a></p>
        <p>By post: ${site.postalAddress}</p>
        <p>
          To change or stop the newsletter you needn’t write to anyone:
          <a href="${to('/preferences')}">ask for a link</a> to your preferences.
        </p>`,
    }
  },
  privacy: ({ site, retentionDays }) => ({
    title: 'Privacy',
    deck: `What ${site.name} stores when you subscribe to its newsletter, and for how long.`,
    rest: html`<h2 class="section-name">What we store</h2>
      <p>
        Your e-mail address, your categories and how often each one comes, your time zone, which statement you agreed
        to, when and from which internet address, and which stories you were sent, so that none comes twice.
      </p>
      <p>
        After you send the sign-up form, one cookie holds what you typed, so that the next page can show it. It is used
        for nothing else and ends within two hours.
      </p>
      <h2 class="section-name">What we don’t store</h2>
      <p>
        Whether you open a mail, and which links you follow. Mails contain no tracking pixels, and links to stories are
        the same for everyone. The share links are plain links: a network learns nothing about you until you follow one.
      </p>
      <h2 class="section-name">For how long</h2>
      <p>
        A sign-up that isn’t confirmed is deleted after seven days, and so is your previous address after you change it.
        What you were sent is deleted after ${retentionDays} days. Everything else is stored until you erase it. In your
        preferences you can download your data, change it, or erase it.
      </p>
      <p>Responsible: ${site.postalAddress}</p>`,
  }),
  terms: ({ site }) => ({
    title: 'Terms',
    deck: 'The newsletter is free. You can stop it at any time with one click in every mail.',
    rest: html`<p>${site.name} may change or end the newsletter at any time.</p>
      <p>
        The stories and pictures belong to their authors and publishers. You may read them, and share links to them. Ask
        the publisher before you copy more than that.
      </p>
      <p>${site.postalAddress}</p>`,
  }),
  disclaimer: ({ site }) => ({
    title: 'Disclaimer',
    deck: site.disclaimer || `What ${site.name} is responsible for, and what it isn’t.`,
    rest: html`<p>
        The newsletter shows titles, first lines and pictures of stories as they were published. A story may have been
        corrected since: what counts is the page that it links to.
      </p>
      <p>Links lead to pages of other publishers too. They are responsible for what those pages say.</p>
      <p>
        Nothing here is professional advice. Ask an expert before you rely on a story in a matter of law, money or
        health.
      </p>
      <p>${site.postalAddress}</p>`,
  }),
}
