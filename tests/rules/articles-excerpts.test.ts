import assert from 'node:assert/strict'
import { test } from 'node:test'
import { described, jsonEntry, rssEntry } from '../support/entries.ts'

const title = 'Low tide at the old harbour'
const story = `<a href="https://gull.example/2026/tide/">${title}</a>`
const site = '<a href="https://gull.example">The Gull</a>'

test('no sentence is cut because of the words in it', () => {
  for (const text of [
    'Pupils should be able to read more, ministers say.',
    'Read more books this winter, says the library in its new programme.',
    'The library wants children to read more. It opens on Sundays.',
    'The post office appeared first on the list of closures.',
    'The town’s new motto is “Read more.”',
    'Weiterlesen macht Spaß, sagt die Bibliothek.',
    'Lees meer boeken, zegt de minister.',
    '続きを読む子どもが増えたと図書館は言う。',
    'He counted 1… 2… 3… and jumped.',
    'A man who appeared first in court was freed.',
    'Source: nobody knows, he said. The case is open.',
    'Continue reading is the name of a new shop.',
    'The council met… It fell.',
    'Wait… what? It rose. Then it fell again',
    '“We will […] build it,” the mayor said. Work starts in May.',
    'He said … that it was so.',
    'Photos by children are on show in the library.',
    `The news that ${title} is over came first on Monday.`,
    `The story ${title} was read by many on The Gull yesterday.`,
  ])
    assert.equal(described(text).excerpt, text)
  assert.equal(
    described('The mayor wants all to <a href="https://x.example/">read more</a>').excerpt,
    'The mayor wants all to read more',
  )
})

test('a last block or link that only says to read on is cut, in any language', () => {
  const own = (words: string) => `<a href="https://gull.example/2026/tide/">${words}</a>`
  for (const end of [
    '<p>Read more</p>',
    '<p>Weiterlesen →</p>',
    `<p>${own('Zum ganzen Text')}</p>`,
    `<p>${own('Lue lisää')} »</p>`,
    ` ${own('Lire l’article')}`,
    `<br>[${own('続きを読む')}]`,
    `<p>Continue reading “${title}”</p>`,
    `<p>${own(`Seguir leyendo <span>${title}</span>`)}</p>`,
  ])
    assert.equal(described(`<p>It was low.</p>${end}`).excerpt, 'It was low.', end)
  const cut = described(`It rose on Monday, they say ${own('Continue reading...')}`)
  assert.deepEqual([cut.excerpt, cut.cut], ['It rose on Monday, they say', ['Continue reading...']])
})

test('what follows an ellipsis and is no part of the text is cut', () => {
  for (const end of [
    '[…] Read more',
    '… Continue reading →',
    '[&hellip;] Plus sur le site',
    '[...] Mehr dazu im Artikel',
    '[…]',
    `[…] The post ${title} first appeared on The Gull`,
  ])
    assert.equal(described(`It was low and ${end}`).excerpt, 'It was low and…', end)
})

test('WordPress’s last sentence is known by its shape: it names the story and links to the site', () => {
  for (const end of [
    `<p>The post ${story} appeared first on ${site}.</p>`,
    ` The post ${title} first appeared on The Gull.`,
    ` Der Beitrag ${title} erschien zuerst auf The Gull.`,
    ` L’article ${title} est apparu en premier sur The Gull.`,
    `<p>Der Beitrag ${story} erschien zuerst auf ${site}.</p>`,
    `<p>投稿 ${story} は ${site} に最初に表示されました。</p>`,
    `<p>${story} yazısı ilk önce ${site} üzerinde ortaya çıktı.</p>`,
    `<p>L’articolo ${story} proviene da ${site}.</p>`,
    ` Het bericht ${title} verscheen eerst op The Gull.`,
    ` O post ${story} apareceu primeiro em ${site}.`,
    `<p>Wpis ${story} pojawił się pierwszy raz w ${site}.</p>`,
    `<p>帖子${story}首先出现在${site}。</p>`,
    `<p>ظهرت المقالة ${story} أولاً على ${site}.</p>`,
    ` Bài viết ${story} đã xuất hiện đầu tiên vào ngày ${site}.`,
  ]) {
    const entry = described(`It was low.${end}`)
    assert.deepEqual([entry.excerpt, entry.source], ['It was low.', 'The Gull'], end)
  }
  const unnamed = rssEntry(
    `<description>It was low. Der Beitrag ${title} erschien zuerst auf The Whale.</description>`,
    title,
    '',
  )
  assert.deepEqual([unnamed.excerpt, unnamed.source], ['It was low.', 'The Whale'])
})

test('captions, credits and the repeated title do not come first', () => {
  for (const before of [
    '<figure><img src="/a.jpg"><figcaption>A boat. Photo: Ann</figcaption></figure>',
    '<p class="wp-caption-text">A boat</p>',
    '<p>Photo: Jane Doe/Reuters</p>',
    '<p><em>(Photo by Ann Lee/Getty)</em></p>',
    '<img src="/a.jpg"><br>Foto: Ann Lee',
    `<h1>${title}</h1>`,
  ])
    assert.equal(described(`${before}<p>It was low.</p>`).excerpt, 'It was low.', before)
  assert.equal(described('<figure><pre>tide --low</pre></figure><p>Run it.</p>').excerpt, 'tide --low Run it.')
  assert.equal(described('<p class="caption">A boat</p>').excerpt, 'A boat')
})

test('a description that equals the title, or says nothing, gives way to the content', () => {
  const content = '<content:encoded><![CDATA[<p>It was low.</p>]]></content:encoded>'
  for (const description of [title, '...', `${title}.`, '[…]', 'Read more'])
    assert.equal(described(description, content).excerpt, 'It was low.', description)
  assert.equal(described(title).excerpt, title)
})

test('what is escaped next to real tags is text; a second time is unescaped only where there are none', () => {
  assert.equal(described('Use <code>&lt;div&gt;</code> here.').excerpt, 'Use <div> here.')
  assert.equal(described('<p>Write &amp;amp; for it.</p>').excerpt, 'Write &amp; for it.')
  assert.equal(described('<p>It&amp;#8217;s low.</p>').excerpt, 'It’s low.')
  assert.equal(described('&lt;p&gt;Low &amp;amp; calm&lt;/p&gt;').excerpt, 'Low & calm')
  assert.equal(jsonEntry({ content_text: 'The <b> element is bold.' }).excerpt, 'The <b> element is bold.')
})

test('marks that cover the lines around them and overrides of direction are dropped', () => {
  assert.equal(described(`Lo${'\u0301'.repeat(40)}w`).excerpt, `Lo${'\u0301'.repeat(4)}w`)
  assert.equal(described('Ti\u202ede\u202c at \u2067שפל\u2069.').excerpt, 'Tide at \u2067שפל\u2069.')
  assert.equal(described('Tide \u2067at \u2069 last\u2069.').excerpt, 'Tide \u2067at \u2069 last.')
  assert.equal(described('Tide \u2067at last.').excerpt, 'Tide at last.')
})
