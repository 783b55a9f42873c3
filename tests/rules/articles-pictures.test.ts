import assert from 'node:assert/strict'
import { test } from 'node:test'
import { described, rssEntry } from '../support/entries.ts'

const picture = (html: string) =>
  described(`<p>It was low.</p>${html}`).image?.replace('https://gull.example', '') ?? null

test('what a feed declares is taken whatever its path says', () => {
  for (const url of [
    'https://stat.paper.example/i/b.jpg',
    'https://l.example/photos/b.png',
    'https://l.example/sports/kitchen-pixel.png',
    'https://l.example/share-button/1x1.jpg',
  ])
    for (const declared of [
      `<enclosure url="${url}" type="image/jpeg" length="1"/>`,
      `<media:content url="${url}" medium="image"/>`,
      `<media:thumbnail url="${url}"/>`,
      `<itunes:image href="${url}"/>`,
    ])
      assert.equal(rssEntry(declared).image, url, declared)
})

test('beacons, portraits, buttons and placeholders in the text are no pictures', () => {
  for (const html of [
    '<img src="/x.jpg" width="1" height="1">',
    '<img src="/x.jpg" style="display: none">',
    '<img src="/x.jpg" style="width:1px;height:1px">',
    '<img src="https://pixel.wp.com/b.gif?host=x">',
    '<img src="https://secure.gravatar.com/avatar/1?s=96">',
    '<img class="avatar photo" src="/people/ann.jpg">',
    '<div class="author-box"><img src="/people/ann.jpg"> Ann</div>',
    '<img src="/icons/facebook.png">',
    '<div class="sharedaddy"><img src="/f.png"></div>',
    '<img src="/placeholder.png">',
    '<img src="/no-image-300x200.jpg">',
  ])
    assert.equal(picture(html), null, html)
  for (const url of ['/photos/b.png', '/sports/kitchen-pixel.png', '/vote-share.jpg'])
    assert.equal(picture(`<img src="${url}">`), url)
  assert.equal(picture('<img src="https://stats.paper.example/chart.png">'), 'https://stats.paper.example/chart.png')
  assert.equal(
    described('<p>Low.</p>', '<media:content url="https://1.gravatar.com/avatar/9" medium="image"/>').image,
    null,
  )
})

test('of a set of sizes the largest up to 1,200 pixels is taken, whatever its address holds', () => {
  const set = (sizes: string) => picture(`<img src="/small.jpg" srcset="${sizes}">`)
  assert.equal(
    set('/w_600,h_400/a.jpg 600w, /w_1200,h_800/a.jpg 1200w,/w_2400,h_1600/a.jpg 2400w'),
    '/w_1200,h_800/a.jpg',
  )
  assert.equal(set('/a.jpg 2400w, /b.jpg 1600w'), '/b.jpg')
  assert.equal(set('/a.jpg, /b.jpg 2x'), '/b.jpg')
  assert.equal(set('/t.jpg 150w'), '/small.jpg')
  assert.equal(picture('<img src="data:image/gif;base64,R0" data-srcset="/a,b.jpg 300w,/c,d.jpg 900w">'), '/c,d.jpg')
  assert.equal(picture('<img src="/dot.gif" data-src="/w_600,h_400/a.jpg">'), '/w_600,h_400/a.jpg')
})

test('<picture> and the poster of a video count', () => {
  const source = (set: string, more = '') => `<source srcset="${set}"${more}>`
  const of = (sources: string) => picture(`<picture>${sources}<img src="/small.jpg"></picture>`)
  assert.equal(of(source('/a.jpg 480w, /b.jpg 1000w')), '/b.jpg')
  assert.equal(
    of(source('/a.avif 1000w', ' type="image/avif"') + source('/a.webp 1000w', ' type="image/webp"')),
    '/small.jpg',
  )
  assert.equal(of(source('/dark.jpg 1000w', ' media="(prefers-color-scheme: dark)"')), '/small.jpg')
  assert.equal(picture('<video poster="/p.jpg"><source src="/a.mp4"></video>'), '/p.jpg')
})

test('the feed’s own words for a picture are kept', () => {
  assert.equal(described('<img src="/a.jpg" alt="A gull &amp; a boat">').imageAlt, 'A gull & a boat')
  const declared = (inside: string) =>
    `<media:content url="https://gull.example/a.jpg" medium="image">${inside}</media:content>`
  assert.equal(rssEntry(declared('<media:description>A red boat</media:description>')).imageAlt, 'A red boat')
  assert.equal(described('<img src="/a.jpg?w=600" alt="A blue boat">', declared('')).imageAlt, 'A blue boat')
  assert.equal(described('<p>Low.</p>').imageAlt, null)
})

test('a picture by https is preferred, as mails show no other', () => {
  const declared = (url: string) => `<media:content url="${url}" medium="image"/>`
  assert.equal(
    rssEntry(declared('http://l.example/a.jpg') + declared('https://l.example/b.jpg')).image,
    'https://l.example/b.jpg',
  )
  assert.equal(rssEntry(declared('http://l.example/a.jpg')).image, 'http://l.example/a.jpg')
})

test('the shape of a picture is what the feed says of it, as far as that can be', () => {
  const url = 'https://gull.example/a.jpg'
  const tag = (size: string) => described(`<p>Low.</p><img src="${url}" ${size}>`).imageRatio
  assert.equal(tag('width="600" height="338"'), 1.775)
  assert.equal(tag('width="600" height="400" srcset="/b.jpg 1200w"'), 1.5)
  for (const unknown of ['', 'width="600"', 'height="400"', 'width="100%" height="400"', 'width="4000" height="50"'])
    assert.equal(tag(unknown), null, unknown)
  const declared = (size: string, text = '') => rssEntry(`<media:content url="${url}" medium="image" ${size}/>${text}`)
  assert.equal(declared('width="1200" height="800"').imageRatio, 1.5)
  assert.equal(declared('width="1200" height="0"').imageRatio, null)
  const again = `<description><![CDATA[<p>Low.</p><img src="${url}?w=300" width="300" height="300">]]></description>`
  assert.equal(declared('', again).imageRatio, 1)
  assert.equal(described('<p>Low.</p>').imageRatio, null)
})
