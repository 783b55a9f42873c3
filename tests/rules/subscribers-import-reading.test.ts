// Files of any other system: delimiters, encodings, line ends, headers in several languages, faults.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'csv-stringify/sync'
import iconv from 'iconv-lite'
import { readLists, readText, fileOf } from '../support/lists.ts'

const header = ['E-Mail-Adresse', 'Vorname', 'Abgemeldet am', 'Bemerkung']
const people = [
  ['ada@example.com', 'Änne', '', 'große Freude; und, mehr'],
  ['una@example.com', 'Ümit', '01.03.2024', ''],
  ['bob@example.com', 'Zoë "Z"', '', 'zwei\nZeilen'],
]
const expected = { 'ada@example.com': 'subscribed', 'una@example.com': 'unsubscribed', 'bob@example.com': 'subscribed' }

test('every delimiter, encoding and line end, in chunks of any size', async () => {
  for (const delimiter of [',', ';', '\t', '|'])
    for (const end of ['\n', '\r\n', '\r'])
      for (const encoding of ['utf8', 'utf8-bom', 'utf16-le', 'utf16-be', 'utf16-le-bare', 'win1252'])
        for (const before of [
          '',
          `Abonnentenliste 2024${end}${end}`,
          delimiter === ',' ? '' : `sep=${delimiter}${end}`,
        ]) {
          const csv =
            before + stringify([header, ...people], { delimiter, record_delimiter: end, quoted: end !== '\n' })
          const bytes =
            encoding === 'utf16-le-bare'
              ? iconv.encode(csv, 'utf16-le')
              : iconv.encode(csv, encoding.replace('-bom', ''), { addBOM: !['utf8', 'win1252'].includes(encoding) })
          for (const size of [7, 1 << 16]) {
            const list = await readText(bytes, {}, 'list.csv', size)
            assert.deepEqual(list.standings, expected, JSON.stringify([delimiter, end, encoding, before, size]))
            assert.deepEqual(list.rejected, [], JSON.stringify([delimiter, end, encoding, before, size, csv]))
          }
        }
})

test('headers in five languages, and in none', async () => {
  const lists: [string[], string[]][] = [
    [
      ['Email', 'Name', 'Status', 'Opt-in time', 'Opt-in IP'],
      ['Unsubscribed', 'Subscribed'],
    ],
    [
      ['E-Mail', 'Name', 'Status', 'Anmeldedatum', 'IP-Adresse'],
      ['Abgemeldet', 'Angemeldet'],
    ],
    [
      ['Adresse e-mail', 'Nom', 'Statut', "Date d'inscription", 'Adresse IP'],
      ['Désabonné', 'Abonné'],
    ],
    [
      ['Correo electrónico', 'Nombre', 'Estado', 'Fecha de alta', 'Dirección IP'],
      ['Dado de baja', 'Activo'],
    ],
    [
      ['البريد الإلكتروني', 'الاسم', 'الحالة', 'تاريخ الاشتراك', 'IP'],
      ['غير مشترك', 'مشترك'],
    ],
    [
      ['Indirizzo e-mail', 'Nome', 'Stato', 'Data di iscrizione', 'IP'],
      ['Disiscritto', 'Iscritto'],
    ],
  ]
  for (const [titles, [out, inn]] of lists) {
    const list = await readText(
      stringify(
        [
          titles,
          ['una@example.com', 'U', out, '2020-01-02', '192.0.2.1'],
          ['ada@example.com', 'A', inn, '2020-01-02', '192.0.2.1'],
        ],
        { delimiter: ';' },
      ),
    )
    assert.deepEqual(
      list.standings,
      { 'una@example.com': 'unsubscribed', 'ada@example.com': 'subscribed' },
      titles.join(),
    )
    assert.equal(list.rows[1]!.said['consent_at'], '2020-01-02', titles.join())
    assert.equal(list.rows[1]!.consentIp, '192.0.2.1', titles.join())
  }
  const bare = await readText('Ada,ada@example.com,Port Lantern\nBob,bob@example.com,Urbana\n')
  assert.deepEqual(Object.keys(bare.standings), ['ada@example.com', 'bob@example.com'])
  await assert.rejects(
    readText('Ada,ada@example.com,active\nBob,bob@example.com,unsubscribed\n'),
    /column "column 3": "unsubscribed"/,
  )
  const told = await readText('Ada,ada@example.com,active\nBob,bob@example.com,unsubscribed\n', {
    map: ['column 3=status'],
  })
  assert.deepEqual(told.standings, { 'ada@example.com': 'subscribed', 'bob@example.com': 'unsubscribed' })
})

test('yes and no, dates, and several columns that disagree: the strictest counts', async () => {
  const standing = async (titles: string, cells: string) => {
    const list = await readText(
      `email,${titles}\nother@example.com,${cells.replace(/[^,]+/g, '')}\nada@example.com,${cells}\n`,
    )
    return list.standings['ada@example.com']
  }
  const said: [titles: string, cells: string, expected: string][] = [
    ['Unsubscribed', 'no', 'subscribed'],
    ['Unsubscribed', 'x', 'unsubscribed'],
    ['Opted out', 'FALSE', 'subscribed'],
    ['Unsubscribed at', '2024-03-01T10:00:00Z', 'unsubscribed'],
    ['Unsubscribed at', '0000-00-00 00:00:00', 'subscribed'],
    ['Abgemeldet am', '1.3.2024', 'unsubscribed'],
    ['Bounced,Unsubscribed', 'yes,yes', 'bounced'],
    ['Active,Bounced', 'yes,no', 'subscribed'],
    ['Active,Bounced', 'yes,1', 'bounced'],
    ['Active', 'no', 'unsubscribed'],
    ['Double opt-in', 'nein', 'pending'],
    ['Confirmed at,Active', ',yes', 'subscribed'],
    ['Blacklisted,Complained', '0,1', 'complained'],
    ['Newsletter', 'oui', 'subscribed'],
  ]
  for (const [titles, cells, wanted] of said) assert.equal(await standing(titles, cells), wanted, `${titles}: ${cells}`)
})

test('what is not understood stops the import and names column, value, line and the ways past', async () => {
  const text = 'email,Segment,Status\nada@example.com,Gold,active\nbob@example.com,Silver,half-asleep\n'
  await assert.rejects(readText(text), (error: Error) => {
    for (const part of [
      'line 3, column "Status": "half-asleep"',
      '--map "Status:half-asleep=unsubscribed"',
      '--ignore-column "Status"',
    ])
      assert.ok(error.message.includes(part), error.message)
    return true
  })
  const past = { map: ['Status:half-asleep=pending'] }
  assert.equal((await readText(text, past)).standings['bob@example.com'], 'pending')
  assert.equal((await readText(text, { ignored: ['status'] })).standings['bob@example.com'], 'subscribed')
  await assert.rejects(readText(text, { map: ['Colour=email'] }), /no column "Colour"/)
  await assert.rejects(readText(text, { map: ['Segment=soup'] }), /--map|isn’t anything that a column can be/)
  await assert.rejects(readText('email,GDPR\nada@example.com,\n'), /column "GDPR": empty/)
  await assert.rejects(
    readText('email,Status\nada@example.com,\nbob@example.com,active\n'),
    /line 2, column "Status": empty/,
  )
})

test('everybody in a file that is named for people who unsubscribed counts as unsubscribed', async () => {
  for (const [name, standing] of Object.entries({
    'unsubscribes.csv': 'unsubscribed',
    'Abgemeldete 2024.txt': 'unsubscribed',
    'désabonnés.csv': 'unsubscribed',
    'bounces.csv': 'bounced',
    'suppression-list.csv': 'blocked',
    'spam complaints.csv': 'complained',
    'subscribers.csv': 'subscribed',
    'active.csv': 'subscribed',
  })) {
    const list = await readLists([fileOf('Email\nada@example.com\n', name)])
    assert.equal(list.standings['ada@example.com'], standing, name)
  }
})

test('choices: from columns, tags and --choice; --category and --frequency are above them', async () => {
  const text =
    'email,Tag,World News,frequency[politics]\nada@example.com,"news, vip",weekly,\nbob@example.com,,,monthly\ncyd@example.com,other,,\ndan@example.com,,off,off\n'
  const choices = async (told = {}) => (await readText(text, told)).rows.map((row) => row.choices)
  const standard = { politics: 'daily', 'world-news': 'daily', weather: 'daily' }
  assert.deepEqual(await choices(), [{ 'world-news': 'weekly' }, { politics: 'monthly' }, standard, {}])
  assert.deepEqual(await choices({ choice: ['Tag:News=weather:monthly'] }), [
    { 'world-news': 'weekly', weather: 'monthly' },
    { politics: 'monthly' },
    standard,
    {},
  ])
  assert.deepEqual(await choices({ category: ['weather'], frequency: 'weekly' }), [
    { weather: 'weekly' },
    { weather: 'weekly' },
    { weather: 'weekly' },
    {},
  ])
  await assert.rejects(choices({ choice: ['Tag:News=golf:daily'] }), /no category "golf"/)
  await assert.rejects(choices({ choice: ['Tagg:News=weather:daily'] }), /no column/)
})

test('faults: an unclosed quote names its line and costs no other row', async () => {
  const list = await readText(
    'email,name,city\nada@example.com,"Ada,Urbana\nbob@example.com,Bob,Urbana\ncyd@example.com,"Cyd ""C""",Urbana\ndan@example.com,D"an,Urbana\n' +
      'eve@example.com,Eve\nfay@example.com,Fay,Urbana,,\ngus@example.com,Gus,Urbana,more\nhal@example,Hal,Urbana\nida@example.com,"Ida\nof two lines",Urbana\njan@example.com,"Jan,Urbana\n',
  )
  assert.deepEqual(
    Object.keys(list.standings)
      .map((one) => one[0])
      .join(''),
    'bcdfi',
  )
  assert.deepEqual(list.rejected, [
    { line: 2, reason: 'line: a quote (") that opens in line 2 isn’t closed' },
    { line: 6, reason: 'line: has fewer cells than there are columns' },
    { line: 8, reason: 'line: has more cells than there are columns' },
    { line: 9, reason: 'email: is not an e-mail address' },
    { line: 12, reason: 'line: a quote (") that opens in line 12 isn’t closed' },
  ])
})

test('whatever a spreadsheet writes is read back, cell by cell', async () => {
  const cell = fc
    .string({ unit: 'grapheme', maxLength: 12 })
    .filter((text) => !/[\0\r]/.test(text) && !/^\s|\s$/.test(text))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(cell, fc.boolean()), { minLength: 1, maxLength: 20 }),
      fc.constantFrom(',', ';', '\t'),
      fc.integer({ min: 1, max: 40 }),
      async (rows, delimiter, size) => {
        const csv = stringify(
          [
            ['name', 'email', 'unsubscribed'],
            ...rows.map(([name, isOut], at) => [name, `p${at}@example.com`, isOut ? 'yes' : 'no']),
          ],
          { delimiter },
        )
        const list = await readText(csv, { ignored: ['name'] }, 'x.csv', size)
        const wanted = rows.map(([, isOut], at) => [`p${at}@example.com`, isOut ? 'unsubscribed' : 'subscribed'])
        assert.deepEqual(list.standings, Object.fromEntries(wanted))
      },
    ),
    { numRuns: 200 },
  )
})
