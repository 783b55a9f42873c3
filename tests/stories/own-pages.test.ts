// What every news page has in its footer: about, contact, privacy, terms, disclaimer, copyright.

import assert from 'node:assert/strict'
import { story } from '../support/house.ts'

const keys = ['about', 'contact', 'privacy', 'terms', 'disclaimer']
const footerOf = (page: string) => page.slice(page.indexOf('<footer'))
const linksIn = (text: string) => [...text.matchAll(/href="([^"]+)"/g)].map((match) => match[1]!)

story('every footer leads to the pages that every news page has, and they are there', async (house) => {
  for (const path of ['/', '/archive', '/preferences', '/nowhere']) {
    const footer = footerOf((await house.web.get(path)).text)
    for (const key of keys) assert.ok(linksIn(footer).includes(`http://news.example/${key}`), `${path}: ${key}`)
    assert.match(footer, /© \d{4} The Whale Gazette/)
    assert.match(footer, /1 Harbour Street, Port Lantern/)
  }
  for (const key of keys) {
    const { text } = await house.web.get(`/${key}`).expect(200)
    assert.match(text, new RegExp(`rel="canonical" href="http://news.example/${key}"`))
  }
  assert.match((await house.web.get('/contact')).text, /mailto:digest@news\.example/)
})

story(
  'a site’s own pages take their place, everywhere',
  async (house) => {
    const { text } = await house.web.get('/').expect(200)
    for (const url of [
      'https://paper.example/us?a=1&amp;b=2',
      'mailto:desk@paper.example',
      'https://paper.example/privacy/',
    ])
      assert.ok(linksIn(footerOf(text)).includes(url), url)
    assert.match(footerOf(text), /Not advice &amp; no offer\./)
    assert.match((await house.web.get('/disclaimer')).text, /<p class="deck">Not advice &amp; no offer\.<\/p>/)
    const about = await house.web.get('/about').expect(200)
    assert.ok(linksIn(about.text.slice(about.text.indexOf('<main'))).includes('https://paper.example/us?a=1&amp;b=2'))
    assert.doesNotMatch((await house.web.get('/sitemap.xml')).text, /\/about|\/contact|\/privacy/)
  },
  {
    env: {
      ABOUT_URL: 'https://paper.example/us?a=1&b=2',
      CONTACT_URL: 'mailto:desk@paper.example',
      PRIVACY_URL: 'https://paper.example/privacy/',
      DISCLAIMER: 'Not advice & no offer.',
    },
  },
)
