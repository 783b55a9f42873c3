// Exports of the systems that are known, with made-up people: each status has the meaning that its own system gives it.

import assert from 'node:assert/strict'
import fs from 'node:fs'
import { test } from 'node:test'
import { systems } from '../../src/subscribers/import/systems.ts'
import { readLists, readText, fileOf, type ReadList } from '../support/lists.ts'

const namesBy = ({ standings }: ReadList) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(Object.entries(standings), ([, standing]) => standing)).map(([standing, people]) => [
      standing,
      people!
        .map(([email]) => email.split('@')[0])
        .toSorted()
        .join(' '),
    ]),
  )

test('Mailchimp: three files, told apart by their columns and by their names', async () => {
  const shared =
    '"Email Address","First Name","Last Name",Address,"Phone Number",Birthday,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION'
  const row = (email: string) =>
    `${email},Ada,Lovelace,,,,2,"2019-03-04 05:06:07",192.0.2.9,"2019-03-04 05:10:00",192.0.2.9,,,,,Europe/Berlin,de,be`
  const list = await readLists([
    fileOf(
      `${shared},LAST_CHANGED,LEID,EUID,NOTES,TAGS\n${row('ada@example.com')},"2019-03-04 05:10:00",1,ab,,"""VIP"",""Politics"""\n${row('bob@example.com')},,2,cd,"unsubscribed once, came back",\n`,
      'subscribed_members_export_1a2b.csv',
    ),
    fileOf(
      `${shared},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n${row('una@example.com')},"2024-01-02 03:04:05",Weekly,x1,NORMAL,,,3,ef,,\n`,
      'unsubscribed_members_export_1a2b.csv',
    ),
    fileOf(
      `${shared},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES,TAGS\n${row('cle@example.com')},"2023-01-02 03:04:05",Weekly,x1,4,gh,,\n`,
      'cleaned_members_export_1a2b.csv',
    ),
    fileOf(`"Email Address","First Name",LEID,EUID\nnon@example.com,N,9,zz\n`, 'nonsubscribed_members_export_1.csv'),
  ])
  assert.deepEqual(namesBy(list), { subscribed: 'ada bob', unsubscribed: 'non una', bounced: 'cle' })
  assert.ok(list.lists.every(({ readAs }) => readAs.startsWith('Mailchimp')))
  const [ada, bob, una] = list.rows
  assert.equal(ada!.said['consent_at'], '2019-03-04 05:06:07')
  assert.equal(ada!.consentIp, '192.0.2.9')
  assert.deepEqual(ada!.choices, { politics: 'daily' })
  assert.deepEqual(Object.keys(bob!.choices), ['politics', 'world-news', 'weather'])
  assert.equal(una!.endedAt?.toISOString(), '2024-01-02T03:04:05.000Z')
})

test('listmonk: its CSV, and the JSON of its API with a status in each list', async () => {
  const csv = await readText(
    'uuid,email,name,attributes,status,created_at,updated_at\n' +
      'a,ada@example.com,Ada,"{""city"": ""Bengaluru"", ""note"": ""unsubscribed""}",enabled,2023-05-06 07:08:09.123456 +0000 UTC,2023-05-06 07:08:09 +0530 IST\n' +
      'b,dis@example.com,D,{},disabled,2023-05-06 07:08:09 +0000 UTC,\nc,blo@example.com,B,{},blocklisted,2023-05-06 07:08:09 +0000 UTC,\n',
  )
  assert.deepEqual(namesBy(csv), { subscribed: 'ada', unsubscribed: 'dis', blocked: 'blo' })
  assert.equal(csv.rows[0]!.createdAt.toISOString(), '2023-05-06T07:08:09.000Z')
  const perList = await readText(
    'uuid,email,name,status,subscription_status\na,ada@example.com,A,enabled,confirmed\nb,pen@example.com,P,enabled,unconfirmed\nc,uns@example.com,U,enabled,unsubscribed\nd,blo@example.com,B,blocklisted,confirmed\n',
  )
  assert.deepEqual(namesBy(perList), { subscribed: 'ada', pending: 'pen', unsubscribed: 'uns', blocked: 'blo' })
  const list = (name: string, subscription_status: string, optin = 'double') => ({ name, subscription_status, optin })
  const person = (email: string, status: string, ...lists: unknown[]) => ({
    id: 1,
    uuid: 'x',
    email: `${email}@example.com`,
    name: email,
    status,
    attribs: { city: 'Port Lantern' },
    created_at: '2023-05-06T07:08:09.123+00:00',
    lists,
  })
  const json = await readText(
    JSON.stringify({
      data: {
        query: '',
        total: 6,
        results: [
          person('ada', 'enabled', list('Politics', 'confirmed'), list('Weather', 'unsubscribed')),
          person('sin', 'enabled', list('Weather', 'unconfirmed', 'single')),
          person('pen', 'enabled', list('Politics', 'unconfirmed')),
          person('uns', 'enabled', list('Politics', 'unsubscribed')),
          person('off', 'disabled', list('Politics', 'confirmed')),
          person('blo', 'blocklisted', list('Politics', 'confirmed')),
          person('non', 'enabled'),
        ],
      },
    }),
    {},
    'subscribers.json',
  )
  assert.deepEqual(namesBy(json), {
    subscribed: 'ada sin',
    pending: 'pen',
    unsubscribed: 'non off uns',
    blocked: 'blo',
  })
  assert.deepEqual(json.rows[0]!.choices, { politics: 'daily' })
})

test('MailPoet, Ghost, Substack and Buttondown', async () => {
  const mailpoet = await readText(
    '\uFEFF"Email","First name","Last name","Subscription IP","Subscription time","Confirmation time","Confirmation IP","List status","Global status","List"\n' +
      [
        'ada,Subscribed,Subscribed',
        'lis,Unsubscribed,Subscribed',
        'glo,Subscribed,Unsubscribed',
        'unc,Subscribed,Unconfirmed',
        'bou,Subscribed,Bounced',
        'ina,Subscribed,Inactive',
      ]
        .map((one) => one.split(','))
        .map(
          ([name, list, global]) =>
            `"${name}@example.com","A","B","192.0.2.1","2022-01-02 03:04:05","","","${list}","${global}","Morning"`,
        )
        .join('\n'),
  )
  assert.deepEqual(namesBy(mailpoet), {
    subscribed: 'ada',
    unsubscribed: 'glo ina lis',
    pending: 'unc',
    bounced: 'bou',
  })
  const ghost = await readText(
    'id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n' +
      '1,ada@example.com,Ada,,true,false,,2024-03-01T09:30:00.000Z,,"VIP,Weather",\n2,off@example.com,Off,,false,false,,2024-03-02T09:30:00.000Z,,,\n' +
      '3,del@example.com,Del,,true,false,,2024-03-02T09:30:00.000Z,2024-04-02T09:30:00.000Z,,\n',
  )
  assert.deepEqual(namesBy(ghost), { subscribed: 'ada', unsubscribed: 'del off' })
  assert.deepEqual(ghost.rows[0]!.choices, { weather: 'daily' })
  const substack = await readText(
    'email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n' +
      'free@example.com,false,,other,false,2025-01-01T00:00:00.000Z,\npaid@example.com,true,2027-07-01,yearly,false,2025-01-01T00:00:00.000Z,2025-02-01\n' +
      'off@example.com,false,,other,true,2025-01-01T00:00:00.000Z,\n',
  )
  assert.deepEqual(namesBy(substack), { subscribed: 'free paid', unsubscribed: 'off' })
  const types = `reg regular,pre premium,tri trialed,unp unpaid,gif gifted,chu churning,pas past_due,una unactivated,uns unsubscribed,spa spammy,rem removed,und undeliverable,com complained,blo blocked`
  const buttondown = await readText(
    'id,email_address,notes,metadata,tags,referrer_url,secondary_id,type,source,creation_date,unsubscription_date,unsubscription_reason\n' +
      types
        .split(',')
        .map((one) => one.split(' '))
        .map(([name, type]) => `x,${name}@example.com,,{},,,1,${type},api,2024-01-01T00:00:00Z,,`)
        .join('\n') +
      '\ny,dat@example.com,,{},,,1,regular,api,2024-01-01T00:00:00Z,2024-02-01T00:00:00Z,too many\n',
  )
  assert.deepEqual(namesBy(buttondown), {
    subscribed: 'chu gif pas pre reg tri unp',
    pending: 'una',
    unsubscribed: 'dat rem uns',
    blocked: 'blo spa',
    bounced: 'und',
    complained: 'com',
  })
})

test('Kit, phpList and the WordPress plugin "Newsletter"', async () => {
  const kit = await readText(
    'id,first_name,email,status,created_at,tags\n1,Ada,ada@example.com,active,2024-01-01 00:00:00 UTC,vip\n2,C,can@example.com,cancelled,2024-01-01 00:00:00 UTC,\n3,B,bou@example.com,bounced,2024-01-01,\n4,C,com@example.com,complained,2024-01-01,\n5,I,ina@example.com,inactive,2024-01-01,\n',
  )
  assert.deepEqual(namesBy(kit), {
    subscribed: 'ada',
    unsubscribed: 'can',
    bounced: 'bou',
    complained: 'com',
    pending: 'ina',
  })
  const kitFiles = await readLists([
    fileOf('first_name,email,created_at,tags\nAda,ada@example.com,2024-01-01,\n', 'Confirmed Subscribers.csv'),
    fileOf('first_name,email,created_at,tags\nUna,una@example.com,2024-01-01,\n', 'unsubscribed-subscribers.csv'),
  ])
  assert.deepEqual(namesBy(kitFiles), { subscribed: 'ada', unsubscribed: 'una' })
  const phplist = await readText(
    'id\temail\tconfirmed\tblacklisted\toptedin\tbouncecount\tentered\tmodified\tuniqid\thtmlemail\tdisabled\tList Membership\n' +
      '1\tada@example.com\t1\t0\t0\t3\t2020-01-01 10:00:00\t2020-01-01 10:00:00\tx\t1\t0\tMorning \n' +
      '2\tunc@example.com\t0\t0\t0\t0\t2020-01-01 10:00:00\t\tx\t1\t0\tMorning \n3\tbla@example.com\t1\t1\t0\t0\t2020-01-01 10:00:00\t\tx\t1\t0\tNo Lists\n4\tdis@example.com\t1\t0\t0\t0\t2020-01-01 10:00:00\t\tx\t1\t1\tMorning \n',
  )
  assert.deepEqual(namesBy(phplist), { subscribed: 'ada', pending: 'unc', blocked: 'bla', unsubscribed: 'dis' })
  const newsletter = await readText(
    '"Email";"Name";"Surname";"Gender";"Status";"Date";"Token";"List 1"\n' +
      ['ada C', 'not S', 'uns U', 'bou B', 'com P']
        .map((one) => one.split(' '))
        .map(([name, status]) => `"${name}@example.com";"A";"B";"n";"${status}";"2021-01-02 03:04:05";"abc";"1"`)
        .join('\n'),
  )
  assert.deepEqual(namesBy(newsletter), {
    subscribed: 'ada',
    pending: 'not',
    unsubscribed: 'uns',
    bounced: 'bou',
    complained: 'com',
  })
})

test('a plain list: addresses with and without names, several in a line', async () => {
  const list = await readText(
    'Our readers\n\nana@example.com\nBob Example <bob@example.com>\n"Doe, Cyd" <cyd@example.com>, dan@example.com; mailto:eve@example.com\n<fay@example.com>,\nno address here\n',
  )
  assert.deepEqual(
    Object.keys(list.standings),
    ['ana', 'bob', 'cyd', 'dan', 'eve', 'fay'].map((one) => `${one}@example.com`),
  )
  assert.deepEqual(list.rejected, [{ line: 7, reason: 'email: is not an e-mail address' }])
  await assert.rejects(
    readText(`ana@example.com\nbob@example.com unsubscribed\n${'cyd@example.com\n'.repeat(8)}`),
    /line 2, column "text": "unsubscribed"/,
  )
})

test('the page for operators names every system', () => {
  const page = fs.readFileSync(new URL('../../docs/moving-in.md', import.meta.url), 'utf8')
  for (const { name } of systems) assert.ok(page.includes(`| ${name} `), name)
})
